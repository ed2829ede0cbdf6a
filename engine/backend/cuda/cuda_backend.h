// The CUDA backend: our kernels, and libraries for convolutions and dense layers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/libraries.h"

namespace fovea {

/// Devices that the backend "cuda" can use, which are numbered from 0. Defined where the project is
/// built with FOVEA_ENABLE_CUDA, as is the backend.
[[nodiscard]] int cuda_device_count();

/// The backend "cuda" on a device. Throws DeviceError (device/none) for one that there is not.
[[nodiscard]] std::unique_ptr<Backend> make_cuda_backend(int device);

/// The backend "cuda-emu": the same lowerings, plans and streams in host memory, with emulated
/// kernels and convolutions by the operator's own definition. For tests; slow.
[[nodiscard]] std::unique_ptr<Backend> make_cuda_emu_backend(int device);
[[nodiscard]] std::unique_ptr<Backend> make_cuda_emu_backend();  ///< on device 0

/// The backend "cuda" for a target such as "sm_90" (cuda/targets.h) that need not be here: its
/// plans are those of such a device, as far as they follow from rules and not from measurements,
/// and can be looked at. Whoever runs one gets a DeviceError (device/none). Throws InvalidArgument
/// for an unknown target.
[[nodiscard]] std::unique_ptr<Backend> make_cuda_dry_run_backend(std::string_view target);

namespace cuda {

/// The backend over the device calls that were linked.
///
/// libraries    made while the device was current
/// capability   the compute capability that tactics are for, as device.h's compute_capability()
///              gives it
/// device       what its memory and streams are of; none: nobody asks for them
[[nodiscard]] std::unique_ptr<Backend> make_backend(std::string name,
                                                    Libraries libraries,
                                                    int capability,
                                                    std::optional<int> device = 0);

/// The number of one of `count` devices. Throws DeviceError (device/none) for another.
int checked_device(int device, int count);

}  // namespace cuda

}  // namespace fovea
