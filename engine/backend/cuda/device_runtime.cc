// The device calls by the CUDA runtime.
#include <chrono>
#include <functional>
#include <string>

#include "engine/backend/cuda/device.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

ErrorCode code_of(cudaError_t status) {
  switch (status) {
    case cudaErrorMemoryAllocation:
      return ErrorCode::kDeviceOutOfMemory;
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
      return ErrorCode::kDeviceNone;
    default:
      return ErrorCode::kDeviceFailed;
  }
}

/// Whether the process can use the device no more, and must end: every later call returns the same.
/// Those of which driver_types.h says so.
bool is_sticky(cudaError_t status) {
  switch (status) {
    case cudaErrorAssert:
    case cudaErrorContained:
    case cudaErrorExternalDevice:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalAddress:
    case cudaErrorIllegalInstruction:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorMisalignedAddress:
    case cudaErrorMpsClientTerminated:
    case cudaErrorTensorMemoryLeak:
      return true;
    default:
      return false;
  }
}

/// Memory that `create` gives for so many bytes, `free` for the last pointer; `kind` for messages.
std::shared_ptr<std::byte> allocated(std::size_t bytes,
                                     const char* kind,
                                     const std::function<cudaError_t(void**)>& create,
                                     cudaError_t (*free)(void*)) {
  void* memory = nullptr;
  const cudaError_t status = create(&memory);
  if (status == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();  // not sticky: later calls must not see it again
    throw DeviceError(
        cat("no ", bytes, " bytes of ", kind, " memory; a smaller largest batch needs less"),
        ErrorCode::kDeviceOutOfMemory);
  }
  check(status);
  return {static_cast<std::byte*>(memory), [free](std::byte* p) { (void)free(p); }};
}

/// Calls `create(&handle, arguments...)`, checks it, and takes ownership of the handle.
template <typename Handle, typename Create, typename... Arguments>
Owned<Handle> make(Create create, Arguments... arguments) {
  Handle handle = nullptr;
  check(create(&handle, arguments...));
  return Owned<Handle>(handle);
}

int attribute(cudaDeviceAttr name, int device) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, name, device));
  return value;
}

}  // namespace

void check(cudaError_t status, const std::source_location& where) {
  if (status == cudaSuccess) return;
  const bool sticky = is_sticky(status);
  // What went wrong is told once; what the device cannot recover from stays where it is, so that
  // nobody takes it for usable.
  if (!sticky) (void)cudaGetLastError();
  throw DeviceError(cat("CUDA: ",
                        cudaGetErrorString(status),
                        " (",
                        cudaGetErrorName(status),
                        ") at ",
                        where.file_name(),
                        ':',
                        where.line(),
                        sticky ? "; this process can use the device no more" : ""),
                    code_of(status));
}

int device_count() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) (void)cudaGetLastError();
  return status == cudaSuccess ? count : 0;
}

void use_device(int device) {
  check(cudaSetDevice(device));
}

int current_device() {
  int device = 0;
  check(cudaGetDevice(&device));
  return device;
}

int compute_capability() {
  const int device = current_device();
  return attribute(cudaDevAttrComputeCapabilityMajor, device) * 10 +
         attribute(cudaDevAttrComputeCapabilityMinor, device);
}

std::optional<DeviceFacts> device_facts() {
  constexpr double kKilo = 1e3;
  const int device = current_device();
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device));
  return DeviceFacts{
      .name = static_cast<const char*>(properties.name),
      .capability = properties.major * 10 + properties.minor,
      .multiprocessors = properties.multiProcessorCount,
      .clock_hz = kKilo * attribute(cudaDevAttrClockRate, device),
      .memory_clock_hz = kKilo * attribute(cudaDevAttrMemoryClockRate, device),
      .memory_bus_bits = attribute(cudaDevAttrGlobalMemoryBusWidth, device),
  };
}

std::string description() {
  int runtime = 0;
  int driver = 0;
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, current_device()));
  check(cudaRuntimeGetVersion(&runtime));
  check(cudaDriverGetVersion(&driver));
  return cat(static_cast<const char*>(properties.name),
             " sm_",
             properties.major,
             properties.minor,
             ' ',
             properties.multiProcessorCount,
             " SMs; runtime ",
             runtime,
             "; driver ",
             driver);
}

std::shared_ptr<std::byte> allocate(std::size_t bytes) {
  return allocated(bytes, "device", [bytes](void** p) { return cudaMalloc(p, bytes); }, cudaFree);
}

std::shared_ptr<std::byte> allocate_pinned(std::size_t bytes) {
  return allocated(
      bytes,
      "page-locked",
      [bytes](void** p) { return cudaHostAlloc(p, bytes, cudaHostAllocDefault); },
      cudaFreeHost);
}

MemoryInfo memory_info() {
  MemoryInfo info;
  check(cudaMemGetInfo(&info.free_bytes, &info.total_bytes));
  return info;
}

void Release::operator()(cudaStream_t stream) const noexcept {
  (void)cudaStreamDestroy(stream);
}

void Release::operator()(cudaEvent_t event) const noexcept {
  (void)cudaEventDestroy(event);
}

void Release::operator()(cudaGraphExec_t graph) const noexcept {
  (void)cudaGraphExecDestroy(graph);
}

StreamHandle make_stream() {
  return make<cudaStream_t>(cudaStreamCreateWithFlags, unsigned{cudaStreamNonBlocking});
}

void copy_to_device(std::byte* dst, const std::byte* src, std::size_t bytes, cudaStream_t stream) {
  check(cudaMemcpyAsync(dst, src, bytes, cudaMemcpyHostToDevice, stream));
}

void copy_to_host(std::byte* dst, const std::byte* src, std::size_t bytes, cudaStream_t stream) {
  check(cudaMemcpyAsync(dst, src, bytes, cudaMemcpyDeviceToHost, stream));
}

void copy_on_device(std::byte* dst, const std::byte* src, std::size_t bytes, cudaStream_t stream) {
  check(cudaMemcpyAsync(dst, src, bytes, cudaMemcpyDeviceToDevice, stream));
}

void synchronize(cudaStream_t stream) {
  check(cudaStreamSynchronize(stream));
}

EventHandle make_event() {
  return make<cudaEvent_t>(cudaEventCreateWithFlags, unsigned{cudaEventBlockingSync});
}

void record(cudaEvent_t event, cudaStream_t stream) {
  check(cudaEventRecord(event, stream));
}

void synchronize(cudaEvent_t event) {
  // Waking a sleeping thread takes longer than what is left of a single picture's run.
  constexpr std::chrono::microseconds kPatience{500};
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    const cudaError_t status = cudaEventQuery(event);
    if (status == cudaSuccess) return;
    if (status != cudaErrorNotReady) check(status);
    (void)cudaGetLastError();  // or the next kernel's launch would be taken for what failed
  }
  check(cudaEventSynchronize(event));
}

void wait(cudaStream_t stream, cudaEvent_t event) {
  check(cudaStreamWaitEvent(stream, event, cudaEventWaitDefault));
}

float elapsed_ms(cudaEvent_t start, cudaEvent_t stop) {
  float ms = 0.0F;
  check(cudaEventElapsedTime(&ms, start, stop));
  return ms;
}

void begin_capture(cudaStream_t stream) {
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
}

GraphHandle end_capture(cudaStream_t stream) {
  cudaGraph_t captured = nullptr;
  check(cudaStreamEndCapture(stream, &captured));
  const auto destroy = [](cudaGraph_t graph) { (void)cudaGraphDestroy(graph); };
  const std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, decltype(destroy)> graph(captured,
                                                                                     destroy);
  cudaGraphExec_t executable = nullptr;
  check(cudaGraphInstantiate(&executable, graph.get(), 0));
  return GraphHandle(executable);
}

void launch(cudaGraphExec_t graph, cudaStream_t stream) {
  check(cudaGraphLaunch(graph, stream));
}

}  // namespace fovea::cuda
