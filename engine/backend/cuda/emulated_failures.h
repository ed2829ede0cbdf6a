// How the emulated device's own calls fail where a test wishes it.
#pragma once

#include <cuda_runtime_api.h>

namespace fovea::cuda::emulated {

/// To be called first by every call of device.h that may fail. Throws DeviceError (device/failed)
/// where it is this one's turn.
void begin_call(const char* name);

/// Likewise by one that enqueues work on the stream: may enqueue work that fails instead.
void begin_call(const char* name, cudaStream_t stream);

}  // namespace fovea::cuda::emulated
