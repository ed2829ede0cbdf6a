#include "engine/backend/cuda/cublaslt_dense.h"
#include "engine/backend/cuda/make_dense.h"
#include "engine/backend/cuda/no_dense.h"

namespace fovea::cuda {

namespace {

template <typename Make>
std::unique_ptr<DenseLibrary> with_library(const Make& make) {
  std::shared_ptr<const CublasLtLibrary> library;
  try {
    library = load_cublaslt();
  } catch (const Unsupported& error) {
    return std::make_unique<NoDense>(error.what());
  }
  return make(std::move(library));
}

}  // namespace

std::unique_ptr<DenseLibrary> make_dense() {
  return with_library(make_cublaslt_dense);
}

std::unique_ptr<DenseLibrary> make_target_dense() {
  return with_library(make_cublaslt_shapes);
}

}  // namespace fovea::cuda
