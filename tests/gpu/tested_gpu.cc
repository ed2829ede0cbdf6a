// gpu_selftest: the device that is here.
#include "engine/backend/cuda/cuda_backend.h"
#include "tests/gpu/tested_backend.h"

namespace fovea::selftest {

std::unique_ptr<Backend> make_tested_backend() {
  return make_cuda_backend(0);
}

}  // namespace fovea::selftest
