#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/make_convolutions.h"
#include "engine/backend/cuda/make_dense.h"

namespace fovea {

int cuda_device_count() {
  return cuda::device_count();
}

std::unique_ptr<Backend> make_cuda_backend(int device) {
  cuda::use_device(cuda::checked_device(device, cuda::device_count()));
  return cuda::make_backend(
      "cuda",
      {.convolutions = cuda::make_convolutions(), .dense = cuda::make_dense()},
      cuda::compute_capability(),
      device);
}

}  // namespace fovea
