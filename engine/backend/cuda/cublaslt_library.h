// The functions of cuBLASLt that we call, as a table: nothing of cuBLASLt is linked, and tests put
// others in their place.
#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include <cublasLt.h>

#include <fovea/error.h>

namespace fovea::cuda {

/// Functions of cuBLASLt and what is known of it. Immutable and thread-safe, but that a handle is
/// for one thread at a time.
struct CublasLtLibrary {
  decltype(&::cublasLtGetStatusName) status_name;
  decltype(&::cublasLtCreate) create;
  decltype(&::cublasLtDestroy) destroy;
  decltype(&::cublasLtMatmulDescCreate) create_operation;
  decltype(&::cublasLtMatmulDescDestroy) destroy_operation;
  decltype(&::cublasLtMatmulDescSetAttribute) set_operation;
  decltype(&::cublasLtMatrixLayoutCreate) create_layout;
  decltype(&::cublasLtMatrixLayoutDestroy) destroy_layout;
  decltype(&::cublasLtMatmulPreferenceCreate) create_preference;
  decltype(&::cublasLtMatmulPreferenceDestroy) destroy_preference;
  decltype(&::cublasLtMatmulPreferenceSetAttribute) set_preference;
  decltype(&::cublasLtMatmulAlgoGetHeuristic) ask_heuristics;
  decltype(&::cublasLtMatmulAlgoInit) init_algorithm;
  decltype(&::cublasLtMatmulAlgoConfigSetAttribute) set_algorithm;
  decltype(&::cublasLtMatmulAlgoConfigGetAttribute) get_algorithm;
  decltype(&::cublasLtMatmulAlgoCapGetAttribute) get_capability;
  decltype(&::cublasLtMatmulAlgoCheck) check_algorithm;
  decltype(&::cublasLtMatmul) multiply;

  std::string version;  ///< "13.1.0"
};

/// cuBLASLt as load_cublaslt_file() finds it, whose errors it throws.
[[nodiscard]] std::shared_ptr<const CublasLtLibrary> load_cublaslt();

/// A call of cuBLASLt that failed.
class CublasLtError : public DeviceError {
 public:
  CublasLtError(cublasStatus_t status, const std::string& message)
      : DeviceError(message, code_of(status)), status_(status) {}

  [[nodiscard]] cublasStatus_t status() const { return status_; }

 private:
  static ErrorCode code_of(cublasStatus_t status) {
    return status == CUBLAS_STATUS_ALLOC_FAILED ? ErrorCode::kDeviceOutOfMemory
                                                : ErrorCode::kDeviceFailed;
  }

  cublasStatus_t status_;
};

/// Throws CublasLtError with cuBLASLt's name of the status unless that is success.
///
/// what   the call does, for the message: "multiplying"
void check(const CublasLtLibrary& library, cublasStatus_t status, const char* what);

/// Gives an object back to the library that made it, which outlives it.
struct CublasLtRelease {
  const CublasLtLibrary* library = nullptr;

  void operator()(cublasLtHandle_t handle) const noexcept { (void)library->destroy(handle); }

  void operator()(cublasLtMatmulDesc_t operation) const noexcept {
    (void)library->destroy_operation(operation);
  }

  void operator()(cublasLtMatrixLayout_t layout) const noexcept {
    (void)library->destroy_layout(layout);
  }

  void operator()(cublasLtMatmulPreference_t preference) const noexcept {
    (void)library->destroy_preference(preference);
  }
};

template <typename Object>
using CublasLtOwned = std::unique_ptr<std::remove_pointer_t<Object>, CublasLtRelease>;

/// cuBLASLt's state for one thread at a time.
using CublasLtHandle = CublasLtOwned<cublasLtHandle_t>;

/// For the calling thread's current device. Throws CublasLtError where there is none.
[[nodiscard]] CublasLtHandle make_handle(const CublasLtLibrary& library);

}  // namespace fovea::cuda
