// Processors without SIMD passes of their own.
#include "engine/core/resample_pass.h"

namespace fovea {

const ResampleKernels* simd_resample_kernels() {
  return nullptr;
}

}  // namespace fovea
