#include <fovea/error.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/make_convolutions.h"
#include "engine/backend/cuda/make_dense.h"

namespace fovea {

std::unique_ptr<Backend> make_cuda_backend() {
  if (!cuda::has_device()) {
    throw DeviceError("no CUDA device can be used; choose the backend 'cpu', or see nvidia-smi",
                      ErrorCode::kDeviceNone);
  }
  return cuda::make_backend(
      "cuda",
      {.convolutions = cuda::make_convolutions(), .dense = cuda::make_dense()},
      cuda::compute_capability());
}

}  // namespace fovea
