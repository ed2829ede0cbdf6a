// The CUDA runtime's functions as far as device_runtime.cc calls them, without a device: every call
// is noted, and each can be made to fail. Linked in place of the runtime.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <cuda_runtime_api.h>

namespace fovea::test {

/// What has been called, and what is to come of it. The functions are those of one thread.
struct CudaCalls {
  std::vector<std::string> made;       ///< "cudaMalloc 100", in order; cudaGetLastError is left out
  std::optional<std::size_t> failing;  ///< index into `made` of the call that fails
  cudaError_t status = cudaErrorUnknown;  ///< what it returns
  cudaError_t last = cudaSuccess;         ///< what cudaGetLastError() would return
  int live = 0;                           ///< allocations and handles that are not given back
  int devices = 1;
  int unready = 0;  ///< calls of cudaEventQuery to come that say that the work is not done
};

/// Of the whole process; a test begins with `cuda_calls() = {}`.
[[nodiscard]] CudaCalls& cuda_calls();

/// Whether no call after one that returned this works: cudaGetLastError() does not take it back.
[[nodiscard]] bool stays(cudaError_t status);

}  // namespace fovea::test
