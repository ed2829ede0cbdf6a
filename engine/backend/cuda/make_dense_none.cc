#include "engine/backend/cuda/make_dense.h"
#include "engine/backend/cuda/no_dense.h"

namespace fovea::cuda {

std::unique_ptr<DenseLibrary> make_dense() {
  return std::make_unique<NoDense>("this build has no cuBLASLt; build with cublasLt.h installed");
}

std::unique_ptr<DenseLibrary> make_target_dense() {
  return make_dense();
}

}  // namespace fovea::cuda
