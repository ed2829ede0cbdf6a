#include "engine/backend/cuda/cublaslt_library.h"

#include "engine/backend/cuda/cublaslt_file.h"
#include "engine/core/require.h"

namespace fovea::cuda {

void check(const CublasLtLibrary& library, cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw CublasLtError(status, cat("cuBLASLt: ", what, ": ", library.status_name(status)));
}

CublasLtHandle make_handle(const CublasLtLibrary& library) {
  cublasLtHandle_t handle = nullptr;
  check(library, library.create(&handle), "creating a handle");
  return CublasLtHandle(handle, {&library});
}

std::shared_ptr<const CublasLtLibrary> load_cublaslt() {
  const CublasLtFile file = load_cublaslt_file();
  auto library = std::make_shared<CublasLtLibrary>();
  const auto take = [&file](auto*& function, const char* name) {
    function =
        file.library.function<std::remove_pointer_t<std::remove_reference_t<decltype(function)>>>(
            name);
  };
  take(library->status_name, "cublasLtGetStatusName");
  take(library->create, "cublasLtCreate");
  take(library->destroy, "cublasLtDestroy");
  take(library->create_operation, "cublasLtMatmulDescCreate");
  take(library->destroy_operation, "cublasLtMatmulDescDestroy");
  take(library->set_operation, "cublasLtMatmulDescSetAttribute");
  take(library->create_layout, "cublasLtMatrixLayoutCreate");
  take(library->destroy_layout, "cublasLtMatrixLayoutDestroy");
  take(library->create_preference, "cublasLtMatmulPreferenceCreate");
  take(library->destroy_preference, "cublasLtMatmulPreferenceDestroy");
  take(library->set_preference, "cublasLtMatmulPreferenceSetAttribute");
  take(library->ask_heuristics, "cublasLtMatmulAlgoGetHeuristic");
  take(library->init_algorithm, "cublasLtMatmulAlgoInit");
  take(library->set_algorithm, "cublasLtMatmulAlgoConfigSetAttribute");
  take(library->get_algorithm, "cublasLtMatmulAlgoConfigGetAttribute");
  take(library->get_capability, "cublasLtMatmulAlgoCapGetAttribute");
  take(library->check_algorithm, "cublasLtMatmulAlgoCheck");
  take(library->multiply, "cublasLtMatmul");
  library->version = file.version_text();
  return library;
}

}  // namespace fovea::cuda
