// The device calls on host memory.
//
// Streams are those of the kernel emulator, so copies and kernels run when somebody waits. Its
// memory is emulated_memory.h's, and its calls fail where emulated_device.h was asked for it.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/emulated_failures.h"
#include "engine/backend/cuda/emulated_memory.h"
#include "engine/core/require.h"
#include "kernels/simt/stream.h"

namespace fovea::cuda {

namespace {

thread_local int current = 0;

/// A stream that events keep alive, since work enqueued before a record() must still run.
struct EmulatedStream final : simt::Stream {
  void before_enqueue() const override {
    if (current == device) return;
    throw DeviceError(cat("emulated CUDA: a stream of device ",
                          device,
                          " is used while device ",
                          current,
                          " is current"));
  }

  int device = current;
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

EmulatedStream& stream_of(cudaStream_t stream) {
  return static_cast<EmulatedStream&>(simt::Stream::from(stream));
}

EmulatedEvent& event_of(cudaEvent_t event) {
  return *reinterpret_cast<EmulatedEvent*>(event);
}

EmulatedGraph& graph_of(cudaGraphExec_t graph) {
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

int device_count() {
  return emulated::device_count();
}

void use_device(int device) {
  if (device == current) return;
  emulated::begin_call("use_device");
  if (device < 0 || device >= device_count()) {
    throw DeviceError(cat("emulated CUDA: there is no device ", device));
  }
  current = device;
}

int current_device() {
  return current;
}

int compute_capability() {
  constexpr int kHopper = 90;
  return kHopper;
}

std::string description() {
  return "emulated device";
}

std::optional<DeviceFacts> device_facts() {
  return std::nullopt;
}

std::shared_ptr<std::byte> allocate(std::size_t bytes) {
  emulated::begin_call("allocate");
  return emulated::allocate_device(bytes, current);
}

std::shared_ptr<std::byte> allocate_pinned(std::size_t bytes) {
  emulated::begin_call("allocate_pinned");
  return emulated::allocate_pinned(bytes);
}

MemoryInfo memory_info() {
  return emulated::memory_info(current);
}

void Release::operator()(cudaStream_t stream) const noexcept {
  stream_of(stream).self.reset();
}

void Release::operator()(cudaEvent_t event) const noexcept {
  std::default_delete<EmulatedEvent>()(&event_of(event));
}

void Release::operator()(cudaGraphExec_t graph) const noexcept {
  std::default_delete<EmulatedGraph>()(&graph_of(graph));
}

StreamHandle make_stream() {
  emulated::begin_call("make_stream");
  auto stream = std::make_shared<EmulatedStream>();
  stream->self = stream;
  return StreamHandle(stream->handle());
}

namespace {

/// A copy when its turn comes; an empty one may have no addresses at all. `on_device` are the
/// addresses that must be of the stream's device.
void enqueue_copy(std::byte* dst,
                  const std::byte* src,
                  std::size_t bytes,
                  cudaStream_t stream,
                  std::initializer_list<const std::byte*> on_device) {
  if (bytes == 0) return;
  for (const std::byte* address : on_device) {
    emulated::require_on(address, stream_of(stream).device);
  }
  simt::enqueue(stream, [=] { std::memcpy(dst, src, bytes); });
}

}  // namespace

void copy_to_device(std::byte* dst, const std::byte* src, std::size_t bytes, cudaStream_t stream) {
  emulated::begin_call("copy_to_device", stream);
  emulated::note_copy(src, bytes);
  enqueue_copy(dst, src, bytes, stream, {dst});
}

void copy_to_host(std::byte* dst, const std::byte* src, std::size_t bytes, cudaStream_t stream) {
  emulated::begin_call("copy_to_host", stream);
  emulated::note_copy(dst, bytes);
  enqueue_copy(dst, src, bytes, stream, {src});
}

void copy_on_device(std::byte* dst, const std::byte* src, std::size_t bytes, cudaStream_t stream) {
  emulated::begin_call("copy_on_device", stream);
  enqueue_copy(dst, src, bytes, stream, {dst, src});
}

void synchronize(cudaStream_t stream) {
  emulated::begin_call("synchronize", stream);
  run([&] { stream_of(stream).synchronize(); });
}

EventHandle make_event() {
  emulated::begin_call("make_event");
  return EventHandle(reinterpret_cast<cudaEvent_t>(std::make_unique<EmulatedEvent>().release()));
}

void record(cudaEvent_t event, cudaStream_t stream) {
  emulated::begin_call("record", stream);
  EmulatedEvent& recorded = event_of(event);
  simt::enqueue(stream,
                [reached = recorded.reached] { *reached = std::chrono::steady_clock::now(); });
  recorded.stream = stream_of(stream).self;
  recorded.position = recorded.stream->position();
}

void synchronize(cudaEvent_t event) {
  emulated::begin_call("synchronize");
  const EmulatedEvent& recorded = event_of(event);
  if (recorded.stream == nullptr) return;
  run([&] { recorded.stream->run_until(recorded.position); });
}

void wait(cudaStream_t stream, cudaEvent_t event) {
  emulated::begin_call("wait", stream);
  const EmulatedEvent& recorded = event_of(event);
  if (recorded.stream == nullptr) return;
  run([&] { stream_of(stream).enqueue_wait(recorded.stream, recorded.position); });
}

float elapsed_ms(cudaEvent_t start, cudaEvent_t stop) {
  emulated::begin_call("elapsed_ms");
  const auto passed = *event_of(stop).reached - *event_of(start).reached;
  return std::chrono::duration<float, std::milli>(passed).count();
}

void begin_capture(cudaStream_t stream) {
  emulated::begin_call("begin_capture");
  run([&] { stream_of(stream).begin_capture(); });
}

GraphHandle end_capture(cudaStream_t stream) {
  auto graph = std::make_unique<EmulatedGraph>();
  run([&] { graph->work = stream_of(stream).end_capture(); });
  emulated::begin_call("end_capture");  // even where it fails, the capture is over
  return GraphHandle(reinterpret_cast<cudaGraphExec_t>(graph.release()));
}

void launch(cudaGraphExec_t graph, cudaStream_t stream) {
  emulated::begin_call("launch", stream);
  for (const simt::Work& work : graph_of(graph).work) simt::enqueue(stream, work);
}

}  // namespace fovea::cuda
