// The CUDA backend: our kernels, and libraries for convolutions and dense layers.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/libraries.h"

namespace fovea {

/// The backend "cuda" on the calling thread's current device. Defined where the project is built
/// with FOVEA_ENABLE_CUDA. Throws DeviceError (device/none) where no device can be used.
[[nodiscard]] std::unique_ptr<Backend> make_cuda_backend();

/// The backend "cuda-emu": the same lowerings, plans and streams in host memory, with emulated
/// kernels and convolutions by the operator's own definition. For tests; slow.
[[nodiscard]] std::unique_ptr<Backend> make_cuda_emu_backend();

/// The backend "cuda" for a target such as "sm_90" (cuda/targets.h) that need not be here: its
/// plans are those of such a device, as far as they follow from rules and not from measurements,
/// and can be looked at. Whoever runs one gets a DeviceError (device/none). Throws InvalidArgument
/// for an unknown target.
[[nodiscard]] std::unique_ptr<Backend> make_cuda_dry_run_backend(std::string_view target);

namespace cuda {

/// The backend over the device calls that were linked. `capability` is the compute capability that
/// tactics are for, as device.h's compute_capability() gives it.
[[nodiscard]] std::unique_ptr<Backend> make_backend(std::string name,
                                                    Libraries libraries,
                                                    int capability);

}  // namespace cuda

}  // namespace fovea
