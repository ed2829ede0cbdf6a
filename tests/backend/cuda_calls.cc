#include "tests/backend/cuda_calls.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <type_traits>

#include "engine/core/require.h"

namespace fovea::test {

CudaCalls& cuda_calls() {
  static CudaCalls calls;
  return calls;
}

bool stays(cudaError_t status) {
  return status == cudaErrorIllegalAddress || status == cudaErrorLaunchFailure;
}

namespace {

/// Notes the call. Returns what it returns.
cudaError_t call(const char* name, std::initializer_list<long long> arguments = {}) {
  CudaCalls& calls = cuda_calls();
  std::string text = name;
  for (const long long argument : arguments) text += cat(' ', argument);
  const bool fails = calls.failing == calls.made.size();
  calls.made.push_back(text);
  if (!fails) return cudaSuccess;
  return calls.last = calls.status;
}

/// Likewise one that makes a handle or memory, which is the heap's.
template <typename Handle>
cudaError_t make(Handle* handle, std::size_t bytes, cudaError_t status) {
  if (status != cudaSuccess) return status;
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): of release()
  *handle = static_cast<Handle>(std::malloc(bytes));
  ++cuda_calls().live;
  return cudaSuccess;
}

/// One that gives it back, which it does even where it fails.
cudaError_t release(void* handle, cudaError_t status) {
  std::free(handle);  // NOLINT(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
  --cuda_calls().live;
  return status;
}

}  // namespace

}  // namespace fovea::test

// NOLINTBEGIN(readability-identifier-naming): the runtime's names
using fovea::test::call;
using fovea::test::cuda_calls;
using fovea::test::make;
using fovea::test::release;

extern "C" {

const char* cudaGetErrorName(cudaError_t error) {
  return error == cudaErrorIllegalAddress ? "cudaErrorIllegalAddress" : "cudaErrorOfATest";
}

const char* cudaGetErrorString(cudaError_t) {
  return "it went wrong";
}

cudaError_t cudaGetLastError() {
  const cudaError_t last = cuda_calls().last;
  if (!fovea::test::stays(last)) cuda_calls().last = cudaSuccess;
  return last;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = cuda_calls().devices;
  return call("cudaGetDeviceCount");
}

cudaError_t cudaSetDevice(int device) {
  return call("cudaSetDevice", {device});
}

cudaError_t cudaGetDevice(int* device) {
  *device = 2;
  return call("cudaGetDevice");
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  *properties = {};
  std::strcpy(properties->name, "Tester");
  properties->major = 9;
  properties->minor = 0;
  properties->multiProcessorCount = 132;
  return call("cudaGetDeviceProperties", {device});
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor:
      *value = 9;
      break;
    case cudaDevAttrClockRate:
      *value = 1'830'000;  // kHz, as the next one
      break;
    case cudaDevAttrMemoryClockRate:
      *value = 2'619'000;
      break;
    case cudaDevAttrGlobalMemoryBusWidth:
      *value = 5120;
      break;
    default:
      *value = 0;
  }
  return call("cudaDeviceGetAttribute", {attribute, device});
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return call("cudaRuntimeGetVersion");
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13010;
  return call("cudaDriverGetVersion");
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  return make(memory, bytes, call("cudaMalloc", {static_cast<long long>(bytes)}));
}

cudaError_t cudaFree(void* memory) {
  return release(memory, call("cudaFree"));
}

cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned flags) {
  return make(memory, bytes, call("cudaHostAlloc", {static_cast<long long>(bytes), flags}));
}

cudaError_t cudaFreeHost(void* memory) {
  return release(memory, call("cudaFreeHost"));
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = 70;
  *total = 80;
  return call("cudaMemGetInfo");
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return make(stream, 1, call("cudaStreamCreateWithFlags", {flags}));
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return release(stream, call("cudaStreamDestroy"));
}

cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return call("cudaStreamSynchronize");
}

cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned flags) {
  return call("cudaStreamWaitEvent", {flags});
}

cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode mode) {
  return call("cudaStreamBeginCapture", {mode});
}

cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
  return make(graph, 1, call("cudaStreamEndCapture"));
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable,
                                 cudaGraph_t,
                                 unsigned long long flags) {
  return make(executable, 1, call("cudaGraphInstantiate", {static_cast<long long>(flags)}));
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return release(graph, call("cudaGraphDestroy"));
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return release(executable, call("cudaGraphExecDestroy"));
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t) {
  return call("cudaGraphLaunch");
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return make(event, 1, call("cudaEventCreateWithFlags", {flags}));
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return release(event, call("cudaEventDestroy"));
}

cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) {
  return call("cudaEventRecord");
}

cudaError_t cudaEventQuery(cudaEvent_t) {
  const cudaError_t status = call("cudaEventQuery");
  fovea::test::CudaCalls& calls = fovea::test::cuda_calls();
  if (status != cudaSuccess || calls.unready == 0) return status;
  --calls.unready;
  return calls.last = cudaErrorNotReady;
}

cudaError_t cudaEventSynchronize(cudaEvent_t) {
  return call("cudaEventSynchronize");
}

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t, cudaEvent_t) {
  *ms = 1.5F;
  return call("cudaEventElapsedTime");
}

cudaError_t cudaMemcpyAsync(
    void*, const void*, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t) {
  return call("cudaMemcpyAsync", {static_cast<long long>(bytes), kind});
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
