// The library of dense layers of a device. CMake chooses the file that defines them: with cuBLASLt
// or without.
#pragma once

#include <memory>

#include "engine/backend/cuda/dense_library.h"

namespace fovea::cuda {

/// cuBLASLt for the calling thread's current device; NoDense where it cannot be loaded, or where
/// the project was built without its headers: our own kernels compute what it would.
[[nodiscard]] std::unique_ptr<DenseLibrary> make_dense();

/// cuBLASLt as far as it is known without a device, to look at the plans for one that is not here:
/// make_cublaslt_shapes(). NoDense as above.
[[nodiscard]] std::unique_ptr<DenseLibrary> make_target_dense();

}  // namespace fovea::cuda
