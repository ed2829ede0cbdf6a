#include "engine/backend/cuda/cublaslt_dense.h"
#include "engine/backend/cuda/make_dense.h"

namespace fovea::cuda {

namespace {

/// Null where cuBLASLt cannot be loaded. Why is for `doctor` to say: nothing is missing here.
std::shared_ptr<const CublasLtLibrary> find_cublaslt() {
  try {
    return load_cublaslt();
  } catch (const Unsupported&) {
    return nullptr;
  }
}

}  // namespace

std::unique_ptr<DenseLibrary> make_dense() {
  auto library = find_cublaslt();
  return library == nullptr ? nullptr : make_cublaslt_dense(std::move(library));
}

std::unique_ptr<DenseLibrary> make_target_dense() {
  auto library = find_cublaslt();
  return library == nullptr ? nullptr : make_cublaslt_shapes(std::move(library));
}

}  // namespace fovea::cuda
