// What device_runtime.cc asks of the CUDA runtime, and what it makes of every error.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/backend/cuda/device.h"
#include "engine/core/require.h"
#include "tests/backend/cuda_calls.h"

namespace fovea {
namespace {

using test::cuda_calls;

class CudaRuntimeCalls : public testing::Test {
 protected:
  void SetUp() override { cuda_calls() = {}; }
};

/// Every function of device.h once.
void call_everything() {
  cuda::use_device(1);
  (void)cuda::description();
  (void)cuda::device_facts();
  const auto memory = cuda::allocate(100);
  const auto pinned = cuda::allocate_pinned(200);
  EXPECT_EQ(cuda::memory_info().free_bytes, 70U);
  EXPECT_EQ(cuda::memory_info().total_bytes, 80U);
  const cuda::StreamHandle stream = cuda::make_stream();
  const cuda::EventHandle start = cuda::make_event();
  const cuda::EventHandle stop = cuda::make_event();
  cuda::begin_capture(stream.get());
  const cuda::GraphHandle graph = cuda::end_capture(stream.get());
  cuda::record(start.get(), stream.get());
  cuda::copy_to_device(memory.get(), pinned.get(), 10, stream.get());
  cuda::launch(graph.get(), stream.get());
  cuda::copy_on_device(memory.get(), memory.get() + 50, 20, stream.get());
  cuda::copy_to_host(pinned.get(), memory.get(), 30, stream.get());
  cuda::record(stop.get(), stream.get());
  cuda::wait(stream.get(), stop.get());
  cuda::synchronize(stop.get());
  cuda::synchronize(stream.get());
  EXPECT_EQ(cuda::elapsed_ms(start.get(), stop.get()), 1.5F);
}

TEST_F(CudaRuntimeCalls, AreTheseInThisOrder) {
  call_everything();

  const std::vector<std::string> want{
      "cudaSetDevice 1",
      "cudaGetDevice",
      "cudaGetDeviceProperties 2",
      "cudaRuntimeGetVersion",
      "cudaDriverGetVersion",
      "cudaGetDevice",
      "cudaGetDeviceProperties 2",
      cat("cudaDeviceGetAttribute ", int{cudaDevAttrClockRate}, " 2"),
      cat("cudaDeviceGetAttribute ", int{cudaDevAttrMemoryClockRate}, " 2"),
      cat("cudaDeviceGetAttribute ", int{cudaDevAttrGlobalMemoryBusWidth}, " 2"),
      "cudaMalloc 100",
      cat("cudaHostAlloc 200 ", cudaHostAllocDefault),
      "cudaMemGetInfo",
      "cudaMemGetInfo",
      cat("cudaStreamCreateWithFlags ", cudaStreamNonBlocking),
      cat("cudaEventCreateWithFlags ", cudaEventBlockingSync),
      cat("cudaEventCreateWithFlags ", cudaEventBlockingSync),
      cat("cudaStreamBeginCapture ", static_cast<int>(cudaStreamCaptureModeThreadLocal)),
      "cudaStreamEndCapture",
      "cudaGraphInstantiate 0",
      "cudaGraphDestroy",
      "cudaEventRecord",
      cat("cudaMemcpyAsync 10 ", static_cast<int>(cudaMemcpyHostToDevice)),
      "cudaGraphLaunch",
      cat("cudaMemcpyAsync 20 ", static_cast<int>(cudaMemcpyDeviceToDevice)),
      cat("cudaMemcpyAsync 30 ", static_cast<int>(cudaMemcpyDeviceToHost)),
      "cudaEventRecord",
      "cudaStreamWaitEvent 0",
      "cudaEventQuery",
      "cudaStreamSynchronize",
      "cudaEventElapsedTime",
      "cudaGraphExecDestroy",
      "cudaEventDestroy",
      "cudaEventDestroy",
      "cudaStreamDestroy",
      "cudaFreeHost",
      "cudaFree"};
  EXPECT_EQ(cuda_calls().made, want);
  EXPECT_EQ(cuda_calls().live, 0);
}

TEST_F(CudaRuntimeCalls, AWaitIsAwakeAtFirstAndThenSleeps) {
  cuda_calls() = {};
  const cuda::EventHandle event = cuda::make_event();

  cuda_calls().unready = 3;
  cuda::synchronize(event.get());
  EXPECT_EQ(std::ranges::count(cuda_calls().made, "cudaEventQuery"), 4);
  EXPECT_EQ(cuda_calls().last, cudaSuccess);

  cuda_calls().unready = std::numeric_limits<int>::max();
  cuda::synchronize(event.get());
  EXPECT_EQ(cuda_calls().made.back(), "cudaEventSynchronize");
}

/// Calls that give something back: their errors have no one to report to.
bool is_release(const std::string& call) {
  return call.find("Destroy") != std::string::npos || call.starts_with("cudaFree");
}

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

TEST_F(CudaRuntimeCalls, ThatFailAreThrownAndLeakNothing) {
  call_everything();
  const std::vector<std::string> good = cuda_calls().made;
  for (const cudaError_t status : {cudaErrorMemoryAllocation,
                                   cudaErrorNoDevice,
                                   cudaErrorInsufficientDriver,
                                   cudaErrorInvalidValue,
                                   cudaErrorIllegalAddress,
                                   cudaErrorLaunchFailure}) {
    for (std::size_t failing = 0; failing < good.size(); ++failing) {
      SCOPED_TRACE(cat(good[failing], " returns ", static_cast<int>(status)));
      cuda_calls() = {};
      cuda_calls().failing = failing;
      cuda_calls().status = status;

      std::string message;
      try {
        call_everything();
      } catch (const DeviceError& error) {
        message = error.what();
        EXPECT_EQ(to_string(error.code()), to_string(code_of(status))) << message;
      }

      EXPECT_EQ(cuda_calls().live, 0);
      if (is_release(good[failing])) {
        EXPECT_EQ(message, "");
        continue;
      }
      EXPECT_NE(message, "");
      // What the device recovers from is seen by nobody else; the rest by everybody.
      EXPECT_EQ(cuda_calls().last, test::stays(status) ? status : cudaSuccess);
      EXPECT_EQ(message.find("use the device no more") != std::string::npos, test::stays(status));
      const bool allocates = good[failing].find("lloc") != std::string::npos;
      if (allocates && status == cudaErrorMemoryAllocation) {
        EXPECT_NE(message.find("00 bytes of"), std::string::npos) << message;
      } else {
        EXPECT_NE(message.find("device_runtime.cc:"), std::string::npos) << message;
      }
    }
  }
}

TEST_F(CudaRuntimeCalls, CountTheDevices) {
  EXPECT_EQ(cuda::device_count(), 1);
  cuda_calls() = {};
  cuda_calls().devices = 0;
  EXPECT_EQ(cuda::device_count(), 0);
  for (const cudaError_t status : {cudaErrorNoDevice, cudaErrorInsufficientDriver}) {
    cuda_calls() = {};
    cuda_calls().failing = 0;
    cuda_calls().status = status;
    EXPECT_EQ(cuda::device_count(), 0);
    EXPECT_EQ(cuda_calls().last, cudaSuccess) << "the next call would be blamed for it";
  }
}

TEST_F(CudaRuntimeCalls, DescribeTheDevice) {
  EXPECT_EQ(cuda::description(), "Tester sm_90 132 SMs; runtime 13000; driver 13010");
  const cuda::DeviceFacts facts = cuda::device_facts().value();
  EXPECT_EQ(facts.name, "Tester");
  EXPECT_EQ(facts.capability, 90);
  EXPECT_EQ(facts.multiprocessors, 132);
  EXPECT_EQ(facts.clock_hz, 1.83e9);
  EXPECT_EQ(facts.memory_clock_hz, 2.619e9);
  EXPECT_EQ(facts.memory_bus_bits, 5120);
}

}  // namespace
}  // namespace fovea
