#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/emulated_convolution.h"

namespace fovea {

std::unique_ptr<Backend> make_cuda_emu_backend(int device) {
  cuda::use_device(cuda::checked_device(device, cuda::device_count()));
  return cuda::make_backend("cuda-emu",
                            {.convolutions = cuda::make_emulated_convolutions()},
                            cuda::compute_capability(),
                            device);
}

std::unique_ptr<Backend> make_cuda_emu_backend() {
  return make_cuda_emu_backend(0);
}

}  // namespace fovea
