// The emulator itself: what it must run, and planted bugs that it must notice.
#include "kernels/simt/emulator.h"

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/simt/simt.h"

namespace simt {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif

constexpr int kThreads = 64;

/// Mirrors a block through shared memory.
__global__ void mirror(int* out) {
  SIMT_SHARED(values, int[kThreads]);
  const int i = static_cast<int>(threadIdx.x);
  values[i] = i;
  __syncthreads();
  out[static_cast<int>(blockIdx.x) * kThreads + i] = values[kThreads - 1 - i];
}

__global__ void mirror_without_barrier(int* out) {
  SIMT_SHARED(values, int[kThreads]);
  const int i = static_cast<int>(threadIdx.x);
  values[i] = i;
  out[i] = values[kThreads - 1 - i];
}

__global__ void divergent_barrier(int* out) {
  if (threadIdx.x < kThreads / 2) {
    __syncthreads();
    out[0] = 1;
  } else {
    __syncthreads();
    out[1] = 1;
  }
}

/// Half of the block waits for threads that wait for it.
__global__ void barrier_against_warp(int* out) {
  if (threadIdx.x % 2 == 0) __syncthreads();
  out[threadIdx.x] = __shfl_xor_sync(~0U, 1, 1);
  if (threadIdx.x % 2 == 1) __syncthreads();
}

__global__ void shuffle_from_returned_lane(int* out) {
  if (threadIdx.x >= 16) return;
  out[threadIdx.x] = __shfl_xor_sync(~0U, static_cast<int>(threadIdx.x), 16);
}

__global__ void shuffle_among_remaining_lanes(int* out) {
  if (threadIdx.x >= 16) return;
  out[threadIdx.x] = __shfl_xor_sync(~0U, static_cast<int>(threadIdx.x), 1);
}

__global__ void lane_outside_its_mask(int* out) {
  out[threadIdx.x] = __shfl_sync(0x0000'ffffU, 1, 0);
}

__global__ void different_masks(int* out) {
  const unsigned mask = threadIdx.x < 16 ? 0xffff'ffffU : 0xffff'0000U;
  out[threadIdx.x] = __shfl_sync(mask, 1, 20);
}

__global__ void read_unwritten_shared(float* out) {
  SIMT_SHARED(values, float[kThreads]);
  out[threadIdx.x] = values[threadIdx.x];
  values[threadIdx.x] = 1.0F;
}

__global__ void read_unwritten_dynamic(float* out) {
  SIMT_DYNAMIC_SHARED(values, float);
  out[threadIdx.x] = values[threadIdx.x];
  values[threadIdx.x] = 1.0F;
}

__global__ void too_much_shared(int* out) {
  SIMT_SHARED(values, int[13 << 10]);
  values[0] = 1;
  out[0] = values[0];
}

__global__ void write_behind_shared(int* out) {
  SIMT_SHARED(values, int[kThreads]);
  int* const first = values;  // the bound of an array is seen by UBSan, the end of memory is not
  first[threadIdx.x + 1] = 1;
  out[0] = 0;
}

__global__ void load_misaligned(const float* in, float* out) {
  out[0] = load<Floats<4>>(in + 1).lane[0];
}

__global__ void warp_operations(unsigned* out) {
  const unsigned i = threadIdx.x;
  SIMT_SHARED(values, unsigned[kWarpSize]);
  values[i] = i;
  __syncwarp();
  out[i] = values[(i + 1) % kWarpSize];
  out[32 + i] = __shfl_sync(~0U, i, 5);
  out[64 + i] = __shfl_xor_sync(~0U, i, 3);
  out[96 + i] = __shfl_down_sync(~0U, i, 30);
  out[128 + i] = __ballot_sync(~0U, i % 4 == 0 ? 1 : 0);
}

/// Coordinates of a grid and a block with three dimensions.
__global__ void coordinates(int* out) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned id = block * blockDim.x * blockDim.y * blockDim.z + thread;
  out[id] = static_cast<int>(id);
}

__global__ void add_one(int* value) {
  *value += 1;
}

/// out[0] counts the threads that came before; thread i leaves its turn in out[1 + i].
__global__ void take_turns(int* out) {
  out[1 + threadIdx.x] = atomicAdd(out, 1);
}

__global__ void fail(int* /*out*/) {
  throw EmulationError("planted");
}

std::vector<int> mirrored(int blocks) {
  std::vector<int> expected;
  for (int b = 0; b < blocks; ++b) {
    for (int i = kThreads; i-- > 0;) expected.push_back(i);
  }
  return expected;
}

/// Runs `test` in all schedules and restores the first.
template <typename Test>
void in_all_schedules(Test test) {
  for (const Schedule schedule : {Schedule::kForward, Schedule::kReverse, Schedule::kRandom}) {
    SCOPED_TRACE(static_cast<int>(schedule));
    set_schedule(schedule);
    test();
  }
  set_schedule(Schedule::kForward);
}

void run_one_block(void (*kernel)(int*), std::vector<int>& out) {
  (void)launch(kernel, dim3(1), dim3(kThreads), 0, nullptr, out.data());
}

TEST(Emulator, RunsBarriersInEverySchedule) {
  in_all_schedules([] {
    std::vector<int> out(std::size_t{3} * kThreads, -1);

    ASSERT_EQ(launch(mirror, dim3(3), dim3(kThreads), 0, nullptr, out.data()), cudaSuccess);

    EXPECT_EQ(out, mirrored(3));
  });
}

TEST(Emulator, RunsWarpOperationsInEverySchedule) {
  in_all_schedules([] {
    std::vector<unsigned> out(160, 99);

    ASSERT_EQ(launch(warp_operations, dim3(1), dim3(32), 0, nullptr, out.data()), cudaSuccess);

    for (unsigned i = 0; i < 32; ++i) {
      EXPECT_EQ(out[i], (i + 1) % 32);
      EXPECT_EQ(out[32 + i], 5U);
      EXPECT_EQ(out[64 + i], i ^ 3U);
      EXPECT_EQ(out[96 + i], i < 2 ? i + 30 : i);
      EXPECT_EQ(out[128 + i], 0x1111'1111U);
    }
  });
}

TEST(Emulator, GivesEveryThreadItsCoordinates) {
  std::vector<int> out(std::size_t{2} * 3 * 4 * 5 * 6 * 2, -1);
  std::vector<int> expected(out.size());
  std::iota(expected.begin(), expected.end(), 0);

  ASSERT_EQ(launch(coordinates, dim3(2, 3, 4), dim3(5, 6, 2), 0, nullptr, out.data()), cudaSuccess);

  EXPECT_EQ(out, expected);
}

TEST(Emulator, SchedulesAreDifferentOrders) {
  std::vector<std::vector<int>> orders;
  in_all_schedules([&] {
    std::vector<int> out(1 + kThreads, 0);
    run_one_block(take_turns, out);
    EXPECT_EQ(out[0], kThreads);
    orders.emplace_back(out.begin() + 1, out.end());
  });

  std::vector<int> forward(kThreads);
  std::iota(forward.begin(), forward.end(), 0);
  EXPECT_EQ(orders[0], forward);
  EXPECT_EQ(orders[1], std::vector<int>(forward.rbegin(), forward.rend()));
  EXPECT_NE(orders[2], orders[0]);
  EXPECT_NE(orders[2], orders[1]);
  std::sort(orders[2].begin(), orders[2].end());
  EXPECT_EQ(orders[2], forward);
}

TEST(Emulator, ShowsAMissingBarrierInSomeSchedule) {
  bool noticed = false;
  in_all_schedules([&] {
    std::vector<int> out(kThreads, -1);
    run_one_block(mirror_without_barrier, out);
    noticed = noticed || out != mirrored(1);
  });
  EXPECT_TRUE(noticed);
}

TEST(Emulator, RefusesADivergentBarrier) {
  in_all_schedules([] {
    std::vector<int> out(kThreads);
    EXPECT_THROW(run_one_block(divergent_barrier, out), EmulationError);
  });
}

TEST(Emulator, ReportsADeadlock) {
  in_all_schedules([] {
    std::vector<int> out(kThreads);
    EXPECT_THROW(run_one_block(barrier_against_warp, out), EmulationError);
  });
}

TEST(Emulator, RefusesAShuffleFromALaneThatReturned) {
  in_all_schedules([] {
    std::vector<int> out(kThreads);
    EXPECT_THROW(
        (void)launch(shuffle_from_returned_lane, dim3(1), dim3(32), 0, nullptr, out.data()),
        EmulationError);
  });
}

TEST(Emulator, LanesThatReturnedNeedNotTakePart) {
  in_all_schedules([] {
    std::vector<int> out(16, -1);
    ASSERT_EQ(launch(shuffle_among_remaining_lanes, dim3(1), dim3(32), 0, nullptr, out.data()),
              cudaSuccess);
    for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(out[i], static_cast<int>(i ^ 1U));
  });
}

TEST(Emulator, RefusesMasksThatDisagree) {
  std::vector<int> out(kThreads);
  EXPECT_THROW((void)launch(lane_outside_its_mask, dim3(1), dim3(32), 0, nullptr, out.data()),
               EmulationError);
  EXPECT_THROW((void)launch(different_masks, dim3(1), dim3(32), 0, nullptr, out.data()),
               EmulationError);
}

TEST(Emulator, UnwrittenSharedMemoryIsNanInEveryBlock) {
  for (void (*kernel)(float*) : {read_unwritten_shared, read_unwritten_dynamic}) {
    std::vector<float> out(kThreads, 0.0F);
    ASSERT_EQ(launch(kernel, dim3(2), dim3(kThreads), 256, nullptr, out.data()), cudaSuccess);
    for (const float value : out) EXPECT_NE(value, value);
  }
}

TEST(Emulator, LimitsSharedMemoryAsAGpuDoes) {
  std::vector<int> out(kThreads);
  EXPECT_THROW(run_one_block(too_much_shared, out), EmulationError);
  EXPECT_EQ(launch(mirror, dim3(1), dim3(kThreads), (48 << 10) + 1, nullptr, out.data()),
            cudaErrorInvalidValue);
}

TEST(Emulator, RefusesGeometriesThatNoDeviceTakes) {
  std::vector<int> out(kThreads);
  for (const auto& [grid, block] : {std::pair{dim3(0), dim3(32)},
                                    std::pair{dim3(1), dim3(0)},
                                    std::pair{dim3(1), dim3(1025)},
                                    std::pair{dim3(1), dim3(1, 1, 65)},
                                    std::pair{dim3(1, 65536), dim3(32)}}) {
    EXPECT_EQ(launch(mirror, grid, block, 0, nullptr, out.data()), cudaErrorInvalidConfiguration);
  }
}

TEST(Emulator, RefusesAMisalignedVectorLoad) {
  alignas(16) const std::array<float, 8> in{};
  float out = 0;
  EXPECT_THROW((void)launch(load_misaligned, dim3(1), dim3(1), 0, nullptr, in.data(), &out),
               EmulationError);
}

TEST(Emulator, WorksAfterAKernelFailed) {
  std::vector<int> out(kThreads, -1);
  EXPECT_THROW(run_one_block(fail, out), EmulationError);
  EXPECT_THROW(run_one_block(divergent_barrier, out), EmulationError);

  run_one_block(mirror, out);

  EXPECT_EQ(out, mirrored(1));
}

TEST(Emulator, RunsInSeveralThreadsAtOnce) {
  std::vector<std::vector<int>> outs(4, std::vector<int>(std::size_t{8} * kThreads, -1));
  std::vector<std::thread> threads;
  for (std::vector<int>& out : outs) {
    threads.emplace_back([&out] {
      for (int i = 0; i < 10; ++i) {
        (void)launch(mirror, dim3(8), dim3(kThreads), 0, nullptr, out.data());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  for (const std::vector<int>& out : outs) EXPECT_EQ(out, mirrored(8));
}

TEST(EmulatorDeathTest, AddressSanitizerSeesTheEndOfASharedArray) {
  if (!kAddressSanitizer) GTEST_SKIP() << "built without AddressSanitizer";
  std::vector<int> out(kThreads);
  EXPECT_DEATH(run_one_block(write_behind_shared, out), "use-after-poison");
}

TEST(EmulatedStream, RunsNothingBeforeSomebodyWaits) {
  Stream stream;
  int value = 0;

  ASSERT_EQ(launch(add_one, dim3(1), dim3(1), 0, stream.handle(), &value), cudaSuccess);
  EXPECT_EQ(value, 0);
  stream.synchronize();

  EXPECT_EQ(value, 1);
}

TEST(EmulatedStream, RunsUpToAPosition) {
  Stream stream;
  int value = 0;
  stream.enqueue([&] { value = value * 10 + 1; });
  const std::uint64_t position = stream.position();
  stream.enqueue([&] { value = value * 10 + 2; });

  stream.run_until(position);
  EXPECT_EQ(value, 1);
  stream.run_until(position);
  EXPECT_EQ(value, 1);
  stream.synchronize();
  EXPECT_EQ(value, 12);
}

/// Three streams of three pieces each, of which the last one's second waits for the first one's.
std::string an_order(std::uint32_t seed) {
  set_stream_order(StreamOrder::kRandom, seed);
  std::string order;
  const std::array<std::shared_ptr<Stream>, 3> streams{
      std::make_shared<Stream>(), std::make_shared<Stream>(), std::make_shared<Stream>()};
  for (const char piece : {'1', '2', '3'}) {
    for (std::size_t s = 0; s < streams.size(); ++s) {
      if (s == 2 && piece == '2') streams[2]->enqueue_wait(streams[0], streams[0]->position());
      streams[s]->enqueue([&order, s, piece] {
        order += static_cast<char>('a' + s);
        order += piece;
      });
    }
  }
  for (const auto& stream : streams) stream->synchronize();
  set_stream_order(StreamOrder::kOnDemand);
  return order;
}

TEST(EmulatedStream, RunsInOrdersThatEventsAllow) {
  std::set<std::string> orders;
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    const std::string order = an_order(seed);
    ASSERT_EQ(order.size(), 18U);
    for (const std::string stream : {"a", "b", "c"}) {
      EXPECT_LT(order.find(stream + '1'), order.find(stream + '2')) << order;
      EXPECT_LT(order.find(stream + '2'), order.find(stream + '3')) << order;
    }
    EXPECT_LT(order.find("a2"), order.find("c2")) << order;
    EXPECT_EQ(an_order(seed), order) << "the same seed";
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 100U);
}

TEST(EmulatedStream, RunsOnDemandNoMoreThanIsWaitedFor) {
  const auto first = std::make_shared<Stream>();
  const auto second = std::make_shared<Stream>();
  std::string order;
  first->enqueue([&] { order += 'a'; });
  second->enqueue([&] { order += 'b'; });
  second->enqueue_wait(first, first->position());
  second->enqueue([&] { order += 'c'; });
  first->enqueue([&] { order += 'd'; });

  second->synchronize();
  EXPECT_EQ(order, "bac");
  first->synchronize();
  EXPECT_EQ(order, "bacd");
}

TEST(EmulatedStream, CaptureCopiesArgumentsAndReplays) {
  Stream stream;
  std::array<int, 2> values{};
  int* target = values.data();
  stream.begin_capture();
  ASSERT_EQ(launch(add_one, dim3(1), dim3(1), 0, stream.handle(), target), cudaSuccess);
  target = values.data() + 1;
  const std::vector<Work> recorded = stream.end_capture();
  stream.synchronize();
  EXPECT_EQ(values, (std::array{0, 0}));

  for (int i = 0; i < 3; ++i) {
    for (const Work& work : recorded) stream.enqueue(work);
  }
  stream.synchronize();

  EXPECT_EQ(values, (std::array{3, 0}));
}

TEST(EmulatedStream, DropsWhatFollowsAFailure) {
  Stream stream;
  int value = 0;
  int unused = 0;
  ASSERT_EQ(launch(fail, dim3(1), dim3(1), 0, stream.handle(), &unused), cudaSuccess);
  ASSERT_EQ(launch(add_one, dim3(1), dim3(1), 0, stream.handle(), &value), cudaSuccess);
  EXPECT_THROW(stream.synchronize(), EmulationError);
  EXPECT_NO_THROW(stream.synchronize());
  EXPECT_EQ(value, 0);

  ASSERT_EQ(launch(add_one, dim3(1), dim3(1), 0, stream.handle(), &value), cudaSuccess);
  stream.synchronize();

  EXPECT_EQ(value, 1);
}

TEST(EmulatedStream, CapturesOneAtATime) {
  Stream stream;
  EXPECT_THROW((void)stream.end_capture(), EmulationError);
  stream.begin_capture();
  EXPECT_THROW(stream.begin_capture(), EmulationError);
  EXPECT_TRUE(stream.end_capture().empty());
}

}  // namespace
}  // namespace simt
