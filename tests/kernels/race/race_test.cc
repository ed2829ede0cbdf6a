// Looks for races between CUDA threads: planted ones, and in every kernel of the project.
//
// Kernels are compiled with -fsanitize=thread here, in whatever preset, and the emulator tells
// ThreadSanitizer that every CUDA thread is a thread and that barriers are all that orders them.
// Blocks are not ordered at all. Shapes are small, since the sanitizer's threads are slow.
#include "tests/kernels/race/race.h"

#include <array>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cast.h"
#include "kernels/convolution.h"
#include "kernels/copy.h"
#include "kernels/dense.h"
#include "kernels/dense_few_rows.h"
#include "kernels/element.h"
#include "kernels/epilogue.h"
#include "kernels/global_pool.h"
#include "kernels/normalize.h"
#include "kernels/pool.h"
#include "kernels/resize.h"
#include "kernels/separable.h"
#include "kernels/simt/async_copy.h"
#include "kernels/simt/emulator.h"
#include "kernels/simt/simt.h"
#include "kernels/softmax_topk.h"

namespace {

int reports = 0;

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming): ThreadSanitizer's names
extern "C" {

/// Called by ThreadSanitizer for every report, while it holds its locks.
[[gnu::no_sanitize("thread")]] void __tsan_on_report(void* /*report*/) {
  ++reports;
}

/// The tests judge the reports, not the exit status; memory of one race may be that of the next.
[[gnu::no_sanitize("thread")]] const char* __tsan_default_options() {
  return "exitcode=0:suppress_equal_addresses=0";
}
}

// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)

namespace fovea::kernels {

int reports_of(const std::function<void()>& work) {
  const int before = reports;
  work();
  return reports - before;
}

namespace {

constexpr int kThreads = 64;

__global__ void read_before_barrier(int* out) {
  SIMT_SHARED(values, int[kThreads]);
  values[threadIdx.x] = 1;
  out[blockIdx.x * kThreads + threadIdx.x] = values[kThreads - 1 - threadIdx.x];
}

/// The second round writes what others may still read from the first.
__global__ void write_after_read(int* out) {
  SIMT_SHARED(values, int[kThreads]);
  for (int round = 0; round < 2; ++round) {
    values[threadIdx.x] = round;
    __syncthreads();
    out[blockIdx.x * kThreads + threadIdx.x] = values[(threadIdx.x + 1) % kThreads];
  }
}

__global__ void shuffle_as_fence(int* out) {
  SIMT_SHARED(values, int[kThreads]);
  values[threadIdx.x] = 1;
  const int other = __shfl_xor_sync(0xffff'ffffU, values[threadIdx.x], 1);
  out[blockIdx.x * kThreads + threadIdx.x] = other + values[threadIdx.x ^ 2U];
}

__global__ void two_threads_write_one_word(int* out) {
  out[blockIdx.x * kThreads + threadIdx.x / 2] = static_cast<int>(threadIdx.x);
}

__global__ void read_what_another_writes(int* out) {
  int* mine = out + blockIdx.x * kThreads;
  if (threadIdx.x == 0) mine[0] = 7;
  if (threadIdx.x != 0) mine[threadIdx.x] = mine[0];
}

__global__ void two_blocks_write_one_word(int* out) {
  if (threadIdx.x == 0) out[0] = static_cast<int>(blockIdx.x);
}

__global__ void mirror_with_barrier(int* out) {
  SIMT_SHARED(values, int[kThreads]);
  for (int round = 0; round < 3; ++round) {
    values[threadIdx.x] = round;
    __syncthreads();
    out[blockIdx.x * kThreads + threadIdx.x] = values[kThreads - 1 - threadIdx.x];
    __syncthreads();
  }
}

__global__ void neighbour_with_syncwarp(int* out) {
  SIMT_SHARED(values, int[kThreads]);
  values[threadIdx.x] = 1;
  __syncwarp();
  out[blockIdx.x * kThreads + threadIdx.x] = values[threadIdx.x ^ 2U];
}

using Row = simt::Floats<4>;

/// A thread's wait says nothing to the others.
__global__ void copy_without_barrier(int* out) {
  SIMT_SHARED(rows, Row[kThreads]);
  const Row* in = reinterpret_cast<const Row*>(out);
  simt::copy_async(&rows[threadIdx.x], in, true);
  simt::commit_copies();
  simt::wait_copies<0>();
  if (rows[threadIdx.x ^ 1U].lane[0] != 0.0F) out[threadIdx.x] = 1;
}

/// The second copy may arrive while others still read the first.
__global__ void copy_onto_what_is_read(int* out) {
  SIMT_SHARED(rows, Row[kThreads]);
  const Row* in = reinterpret_cast<const Row*>(out);
  simt::copy_async(&rows[threadIdx.x], in, true);
  simt::commit_copies();
  simt::wait_copies<0>();
  __syncthreads();
  const float other = rows[threadIdx.x ^ 1U].lane[0];
  simt::copy_async(&rows[threadIdx.x], in, true);
  simt::commit_copies();
  if (other != 0.0F) out[threadIdx.x] = 1;
}

__global__ void copy_with_barrier(int* out) {
  SIMT_SHARED(rows, Row[kThreads]);
  const Row* in = reinterpret_cast<const Row*>(out);
  for (int round = 0; round < 2; ++round) {
    simt::copy_async(&rows[threadIdx.x], in, true);
    simt::commit_copies();
    simt::wait_copies<0>();
    __syncthreads();
    if (rows[threadIdx.x ^ 1U].lane[0] != 0.0F) out[threadIdx.x] = 1;
    __syncthreads();
  }
}

__global__ void count_atomically(int* out) {
  atomicAdd(out, 1);
}

struct Planted {
  std::string name;
  void (*kernel)(int*);
  bool races;
};

class PlantedRace : public testing::TestWithParam<Planted> {};

TEST_P(PlantedRace, IsReportedWhereThereIsOne) {
  alignas(16) std::array<int, std::size_t{2} * kThreads> out{};

  const int found = reports_of([&] {
    ASSERT_EQ(simt::launch(GetParam().kernel, dim3(2), dim3(kThreads), 0, nullptr, out.data()),
              cudaSuccess);
  });

  EXPECT_EQ(found > 0, GetParam().races) << found << " reports";
}

INSTANTIATE_TEST_SUITE_P(
    All,
    PlantedRace,
    testing::Values(Planted{"ReadBeforeBarrier", read_before_barrier, true},
                    Planted{"WriteAfterRead", write_after_read, true},
                    Planted{"ShuffleAsFence", shuffle_as_fence, true},
                    Planted{"TwoThreadsWriteOneWord", two_threads_write_one_word, true},
                    Planted{"ReadWhatAnotherWrites", read_what_another_writes, true},
                    Planted{"TwoBlocksWriteOneWord", two_blocks_write_one_word, true},
                    Planted{"MirrorWithBarrier", mirror_with_barrier, false},
                    Planted{"NeighbourWithSyncwarp", neighbour_with_syncwarp, false},
                    Planted{"CountAtomically", count_atomically, false},
                    Planted{"CopyWithoutBarrier", copy_without_barrier, true},
                    Planted{"CopyOntoWhatIsRead", copy_onto_what_is_read, true},
                    Planted{"CopyWithBarrier", copy_with_barrier, false}),
    [](const auto& test) { return test.param.name; });

struct Clean {
  std::string name;
  std::function<cudaError_t()> launch;
};

constexpr ElementType kFloat = ElementType::kFloat32;
constexpr ElementType kHalf = ElementType::kFloat16;
constexpr ElementType kBFloat = ElementType::kBFloat16;

// Buffers of float are large enough for every type, which one does not matter to races.

cudaError_t run_cast(ElementType from, ElementType to) {
  const std::vector<float> x = ramp(9 * 40);
  std::vector<float> y(9 * 32);
  return cast({.from = from,
               .to = to,
               .x = x.data(),
               .y = y.data(),
               .x_stride = 40,
               .y_stride = 32,
               .pixels = 9,
               .channels = 29},
              nullptr);
}

/// Several steps of the depth and, with small tiles, several tiles; y lies where the residual does.
cudaError_t run_convolution(ConvolutionTile tile, int channels) {
  constexpr int kFilters = 72;
  const auto c = static_cast<std::size_t>(channels);
  const std::vector<float> x = ramp(9 * 8 * c);
  const std::vector<float> w =
      ramp(static_cast<std::size_t>(packed_depth(2 * channels, ElementType::kFloat32)) * kFilters);
  std::vector<float> y = ramp(std::size_t{72} * kFilters);
  return convolution({.x = x.data(),
                      .weights = w.data(),
                      .residual = y.data(),
                      .y = y.data(),
                      .x_stride = channels,
                      .residual_stride = kFilters,
                      .y_stride = kFilters,
                      .n = 1,
                      .h = 9,
                      .w = 8,
                      .c = channels,
                      .out_h = 9,
                      .out_w = 8,
                      .filters = kFilters,
                      .kernel_w = 2},
                     tile,
                     nullptr);
}

cudaError_t run_copy() {
  std::vector<std::byte> src(std::size_t{9} * 48);
  std::vector<std::byte> dst(std::size_t{9} * 40);
  return copy_rows(src.data(), 48, dst.data(), 40, 9, 33, nullptr);
}

cudaError_t run_dense(ElementType type) {
  const std::vector<float> x = ramp(5 * 40);
  const std::vector<float> w = ramp(11 * 40);
  std::vector<float> y(5 * 11);
  return dense({.type = type,
                .x = x.data(),
                .w = w.data(),
                .y = y.data(),
                .rows = 5,
                .inputs = 40,
                .outputs = 11},
               nullptr);
}

cudaError_t run_dense_few_rows() {
  const std::vector<float> x = ramp(3 * 36);
  const std::vector<float> w = ramp(11 * 36);
  std::vector<float> y(3 * 11);
  return dense_few_rows(
      {.x = x.data(), .w = w.data(), .y = y.data(), .rows = 3, .inputs = 36, .outputs = 11},
      nullptr);
}

cudaError_t run_epilogue(ElementType type) {
  std::vector<float> x = ramp(33 * 8);
  return epilogue({.type = type,
                   .x = x.data(),
                   .residual = x.data(),
                   .y = x.data(),
                   .x_stride = 8,
                   .residual_stride = 8,
                   .y_stride = 8,
                   .pixels = 33,
                   .channels = 8},
                  nullptr);
}

/// Of 33 channels one by one, of 72 in vectors; more than a tile either way.
cudaError_t run_global_pool(ElementType type, int channels) {
  const std::vector<float> x = ramp(static_cast<std::size_t>(2 * 9 * channels));
  std::vector<float> y(static_cast<std::size_t>(2 * channels));
  return global_average_pool({.type = type,
                              .x = x.data(),
                              .y = y.data(),
                              .x_stride = channels,
                              .n = 2,
                              .pixels = 9,
                              .c = channels},
                             nullptr);
}

cudaError_t run_normalize(ElementType type) {
  const std::vector<std::uint8_t> x(31 * 3, 7);
  std::vector<float> y(31 * 8);
  return normalize({.x = x.data(), .type = type, .y = y.data(), .pixels = 31, .out_channels = 8},
                   nullptr);
}

cudaError_t run_pool(ElementType type) {
  const std::vector<float> x = ramp(2 * 5 * 5 * 8);
  std::vector<float> y(2 * 3 * 3 * 8);
  return max_pool({.type = type,
                   .x = x.data(),
                   .y = y.data(),
                   .x_stride = 8,
                   .y_stride = 8,
                   .n = 2,
                   .h = 5,
                   .w = 5,
                   .c = 8,
                   .out_h = 3,
                   .out_w = 3,
                   .kernel_h = 3,
                   .kernel_w = 3,
                   .stride_h = 2,
                   .stride_w = 2,
                   .pad_top = 1,
                   .pad_left = 1},
                  nullptr);
}

/// Both orders of the passes, and a picture without a first one: 7 x 5, 3 x 9 and 4 x 3 pixels to
/// 4 x 3, with weights that do not matter here.
cudaError_t run_resize() {
  struct Table {
    std::array<ResizePicture, 3> pictures{};
    std::array<std::int32_t, 4 * 4> columns{0, 0, 1, 1, 2, 2, 2, 2};
    std::array<std::int32_t, 4 * 3> rows{0, 1, 2, 2, 2, 2};
  };

  Table table;
  const auto index = [&table](const auto& words) {
    return static_cast<std::int32_t>(words.data() - reinterpret_cast<const std::int32_t*>(&table));
  };
  const ResizePicture common{.columns = {index(table.columns), 4}, .rows = {index(table.rows), 3}};
  table.pictures.fill(common);
  table.pictures[0].width = 7;
  table.pictures[0].between_width = 4;
  table.pictures[0].between_height = 4;
  table.pictures[0].tiles = 1;
  table.pictures[1] = table.pictures[0];
  table.pictures[1].pixels = 7 * 5 * 3;
  table.pictures[1].between = 4 * 4 * 3;
  table.pictures[1].first_tile = 1;
  table.pictures[1].between_height = 3;
  table.pictures[1].vertical_first = 1;
  table.pictures[2].width = 4;
  table.pictures[2].first_tile = 2;
  table.columns.back() = table.rows.back() = 1 << kResizeBits;
  const std::vector<std::uint8_t> pixels(7 * 5 * 3 * 2, 9);
  std::vector<std::uint8_t> workspace(4 * 7 * 3);
  std::vector<float> y(std::size_t{3} * 3 * 4 * 4);
  return resize_normalize({.pixels = pixels.data(),
                           .table = table.pictures.data(),
                           .workspace = workspace.data(),
                           .workspace_bytes = workspace.size(),
                           .n = 3,
                           .height = 3,
                           .width = 4},
                          {.y = y.data(), .out_channels = 4},
                          nullptr);
}

/// Several steps of the depth and several tiles; y lies where the residual does.
cudaError_t run_separable(SeparableTile tile) {
  constexpr int kFilters = 72;
  constexpr int kChannels = 36;
  const std::vector<float> x = ramp(std::size_t{72} * kChannels);
  const std::vector<float> weights = ramp(std::size_t{9} * kChannels);
  const std::vector<float> w = ramp(std::size_t{kChannels} * kFilters);
  std::vector<float> y = ramp(std::size_t{72} * kFilters);
  SeparableArgs args;
  args.depthwise = {.x = x.data(), .weights = weights.data(), .x_stride = kChannels, .n = 1};
  args.depthwise.h = args.depthwise.out_h = args.pointwise.h = args.pointwise.out_h = 9;
  args.depthwise.w = args.depthwise.out_w = args.pointwise.w = args.pointwise.out_w = 8;
  args.depthwise.kernel_h = args.depthwise.kernel_w = 3;
  args.depthwise.pad_top = args.depthwise.pad_left = 1;
  args.depthwise.c = args.pointwise.c = kChannels;
  args.pointwise.weights = w.data();
  args.pointwise.residual = args.pointwise.y = y.data();
  args.pointwise.residual_stride = args.pointwise.y_stride = kFilters;
  args.pointwise.n = 1;
  args.pointwise.filters = kFilters;
  return separable(args, tile, nullptr);
}

cudaError_t run_softmax() {
  std::vector<float> x = ramp(2 * 300);
  return softmax(x.data(), x.data(), 2, 300, nullptr);
}

cudaError_t run_top_k(std::int64_t rows, std::int64_t cols, std::int64_t k) {
  const std::vector<float> x = ramp(static_cast<std::size_t>(rows * cols));
  std::vector<float> values(static_cast<std::size_t>(rows * k));
  std::vector<std::int32_t> indices(values.size());
  return softmax_top_k({.x = x.data(),
                        .values = values.data(),
                        .indices = indices.data(),
                        .rows = rows,
                        .cols = cols,
                        .k = k},
                       nullptr);
}

class KernelWithoutRace : public testing::TestWithParam<Clean> {};

TEST_P(KernelWithoutRace, IsNotReported) {
  for (const simt::Schedule schedule : {simt::Schedule::kForward, simt::Schedule::kReverse}) {
    simt::set_schedule(schedule);
    EXPECT_EQ(reports_of([] { EXPECT_EQ(GetParam().launch(), cudaSuccess); }), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All,
    KernelWithoutRace,
    testing::Values(
        Clean{"Cast", [] { return run_cast(kFloat, kHalf); }},
        Clean{"CastBack", [] { return run_cast(kHalf, kFloat); }},
        Clean{"CastBetweenHalves", [] { return run_cast(kBFloat, kHalf); }},
        Clean{"ConvolutionMma", [] { return run_convolution(ConvolutionTile::kMma64x64, 36); }},
        Clean{"ConvolutionMmaGathered",
              [] { return run_convolution(ConvolutionTile::kMma64x64, 35); }},
        Clean{"ConvolutionMmaLarge",
              [] { return run_convolution(ConvolutionTile::kMma128x128, 20); }},
        Clean{"ConvolutionSimt", [] { return run_convolution(ConvolutionTile::kSimt64x64, 12); }},
        Clean{"ConvolutionSimtGathered",
              [] { return run_convolution(ConvolutionTile::kSimt64x64, 11); }},
        Clean{"ConvolutionSimtLarge",
              [] { return run_convolution(ConvolutionTile::kSimt128x128, 12); }},
        Clean{"Copy", run_copy},
        Clean{"Dense", [] { return run_dense(kFloat); }},
        Clean{"DenseOfHalves", [] { return run_dense(kHalf); }},
        Clean{"DenseFewRows", run_dense_few_rows},
        Clean{"Epilogue", [] { return run_epilogue(kFloat); }},
        Clean{"EpilogueOfHalves", [] { return run_epilogue(kBFloat); }},
        Clean{"GlobalPool", [] { return run_global_pool(kFloat, 33); }},
        Clean{"GlobalPoolOfVectors", [] { return run_global_pool(kFloat, 72); }},
        Clean{"GlobalPoolOfHalves", [] { return run_global_pool(kHalf, 72); }},
        Clean{"GlobalPoolOfSingleHalves", [] { return run_global_pool(kBFloat, 33); }},
        Clean{"Normalize", [] { return run_normalize(kFloat); }},
        Clean{"NormalizeToHalves", [] { return run_normalize(kHalf); }},
        Clean{"Pool", [] { return run_pool(kFloat); }},
        Clean{"PoolOfHalves", [] { return run_pool(kBFloat); }},
        Clean{"Resize", run_resize},
        Clean{"SeparableMma", [] { return run_separable(SeparableTile::kMma64x64); }},
        Clean{"SeparableMmaWide", [] { return run_separable(SeparableTile::kMma64x256); }},
        Clean{"SeparableSimt", [] { return run_separable(SeparableTile::kSimt64x64); }},
        Clean{"Softmax", run_softmax},
        Clean{"TopKInRegisters", [] { return run_top_k(2, 150, 5); }},
        Clean{"TopKInMoreRegisters", [] { return run_top_k(1, 1100, 5); }},
        Clean{"TopKByRank", [] { return run_top_k(2, 300, 40); }}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace fovea::kernels
