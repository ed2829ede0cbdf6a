// emulated_selftest: the same program in host memory, to test the program itself.
#include "engine/backend/cuda/cuda_backend.h"
#include "tests/gpu/tested_backend.h"

namespace fovea::selftest {

std::unique_ptr<Backend> make_tested_backend() {
  return make_cuda_emu_backend();
}

}  // namespace fovea::selftest
