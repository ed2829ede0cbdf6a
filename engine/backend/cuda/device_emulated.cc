// The device calls on host memory.
//
// Streams are those of the kernel emulator, so copies and kernels run when somebody waits. Device
// memory is filled with NaN, and an access outside of it is an AddressSanitizer report or, without
// the sanitizer, an abort when the memory is freed.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/cuda/device.h"
#include "engine/backend/host_stream.h"
#include "engine/core/require.h"
#include "kernels/simt/sanitizers.h"
#include "kernels/simt/stream.h"

namespace fovea::cuda {

namespace {

/// A stream that events keep alive, since work enqueued before a record() must still run.
struct EmulatedStream : simt::Stream {
  std::shared_ptr<EmulatedStream> self;  ///< until the stream's handle is released
};

/// Its stream's queue position at the last record(), and the time at which that was reached.
struct EmulatedEvent {
  std::shared_ptr<EmulatedStream> stream;
  std::uint64_t position = 0;
  std::shared_ptr<std::chrono::steady_clock::time_point> reached =
      std::make_shared<std::chrono::steady_clock::time_point>();
};

struct EmulatedGraph {
  std::vector<simt::Work> work;
};

EmulatedStream& emulated(cudaStream_t stream) {
  return static_cast<EmulatedStream&>(simt::Stream::from(stream));
}

EmulatedEvent& emulated(cudaEvent_t event) {
  return *reinterpret_cast<EmulatedEvent*>(event);
}

EmulatedGraph& emulated(cudaGraphExec_t graph) {
  return *reinterpret_cast<EmulatedGraph*>(graph);
}

/// Runs emulated work; what a kernel did wrong becomes what a device would report.
template <typename Run>
void run(const Run& work) {
  try {
    work();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw DeviceError(cat("the emulated device failed: ", error.what()));
  }
}

/// Bytes before and after every allocation that nobody may write to.
constexpr std::size_t kGuardBytes = kBufferAlignment;
constexpr std::byte kGuard{0xA5};

/// An allocation with its guards; the one behind begins right after the last byte.
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t bytes)
      : bytes_(bytes), size_(bytes + 2 * kGuardBytes + slack(bytes)) {
    // Not operator new: AddressSanitizer would limit what one call may ask for, and abort.
    // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): of the destructor
    base_ = static_cast<std::byte*>(std::aligned_alloc(kBufferAlignment, size_));
    if (base_ == nullptr) {
      throw DeviceError(
          cat("no ", bytes, " bytes of device memory; a smaller largest batch needs less"),
          ErrorCode::kDeviceOutOfMemory);
    }
    std::memset(base_, static_cast<int>(kGuard), size_);
    fill_with_nan();
    simt::sanitizers::poison(base_, kGuardBytes);
    simt::sanitizers::poison(data() + bytes_, behind());
  }

  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  ~GuardedMemory() {
    simt::sanitizers::unpoison(base_, size_);
    const auto intact = [](std::span<const std::byte> bytes) {
      return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == kGuard; });
    };
    if (!intact({base_, kGuardBytes}) || !intact({data() + bytes_, behind()})) {
      (void)std::fprintf(stderr, "emulated device: a write outside of %zu bytes\n", bytes_);
      std::abort();
    }
    // NOLINTNEXTLINE(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): of aligned_alloc
    std::free(base_);
  }

  [[nodiscard]] std::byte* data() const { return base_ + kGuardBytes; }

 private:
  static std::size_t slack(std::size_t bytes) {
    return (kBufferAlignment - bytes % kBufferAlignment) % kBufferAlignment;
  }

  [[nodiscard]] std::size_t behind() const { return size_ - kGuardBytes - bytes_; }

  void fill_with_nan() const {
    constexpr std::uint64_t kNan = 0x7fff'7fff'7fff'7fff;  // as double, as float and as half
    for (std::size_t at = 0; at < bytes_; at += sizeof(kNan)) {
      std::memcpy(data() + at, &kNan, std::min(sizeof(kNan), bytes_ - at));
    }
  }

  std::size_t bytes_;
  std::size_t size_;
  std::byte* base_ = nullptr;
};

}  // namespace

void check(cudaError_t status, const std::source_location& where) {
  if (status == cudaSuccess) return;
  throw DeviceError(cat("emulated CUDA: error ",
                        static_cast<int>(status),
                        " at ",
                        where.file_name(),
                        ':',
                        where.line()));
}

bool has_device() {
  return true;
}

bool multiplies_matrices() {
  return true;
}

std::string description() {
  return "emulated device";
}

std::shared_ptr<std::byte> allocate(std::size_t bytes) {
  const auto memory = std::make_shared<GuardedMemory>(bytes);
  return {memory, memory->data()};
}

MemoryInfo memory_info() {
  return host_memory_info();
}

void Release::operator()(cudaStream_t stream) const noexcept {
  emulated(stream).self.reset();
}

void Release::operator()(cudaEvent_t event) const noexcept {
  std::default_delete<EmulatedEvent>()(&emulated(event));
}

void Release::operator()(cudaGraphExec_t graph) const noexcept {
  std::default_delete<EmulatedGraph>()(&emulated(graph));
}

StreamHandle make_stream() {
  auto stream = std::make_shared<EmulatedStream>();
  stream->self = stream;
  return StreamHandle(stream->handle());
}

namespace {

/// A copy when its turn comes; an empty one may have no addresses at all.
void enqueue_copy(std::byte* dst, const std::byte* src, std::size_t bytes, cudaStream_t stream) {
  if (bytes == 0) return;
  simt::enqueue(stream, [=] { std::memcpy(dst, src, bytes); });
}

}  // namespace

void copy_to_device(std::byte* dst, const std::byte* src, std::size_t bytes, cudaStream_t stream) {
  enqueue_copy(dst, src, bytes, stream);
}

void copy_to_host(std::byte* dst, const std::byte* src, std::size_t bytes, cudaStream_t stream) {
  enqueue_copy(dst, src, bytes, stream);
}

void synchronize(cudaStream_t stream) {
  run([&] { emulated(stream).synchronize(); });
}

EventHandle make_event() {
  return EventHandle(reinterpret_cast<cudaEvent_t>(std::make_unique<EmulatedEvent>().release()));
}

void record(cudaEvent_t event, cudaStream_t stream) {
  EmulatedEvent& recorded = emulated(event);
  simt::enqueue(stream,
                [reached = recorded.reached] { *reached = std::chrono::steady_clock::now(); });
  recorded.stream = emulated(stream).self;
  recorded.position = recorded.stream->position();
}

void synchronize(cudaEvent_t event) {
  const EmulatedEvent& recorded = emulated(event);
  if (recorded.stream == nullptr) return;
  run([&] { recorded.stream->run_until(recorded.position); });
}

void wait(cudaStream_t stream, cudaEvent_t event) {
  const EmulatedEvent& recorded = emulated(event);
  if (recorded.stream == nullptr) return;
  simt::enqueue(stream, [other = recorded.stream, position = recorded.position] {
    other->run_until(position);
  });
}

float elapsed_ms(cudaEvent_t start, cudaEvent_t stop) {
  const auto passed = *emulated(stop).reached - *emulated(start).reached;
  return std::chrono::duration<float, std::milli>(passed).count();
}

void begin_capture(cudaStream_t stream) {
  run([&] { emulated(stream).begin_capture(); });
}

GraphHandle end_capture(cudaStream_t stream) {
  auto graph = std::make_unique<EmulatedGraph>();
  run([&] { graph->work = emulated(stream).end_capture(); });
  return GraphHandle(reinterpret_cast<cudaGraphExec_t>(graph.release()));
}

void launch(cudaGraphExec_t graph, cudaStream_t stream) {
  for (const simt::Work& work : emulated(graph).work) simt::enqueue(stream, work);
}

}  // namespace fovea::cuda
