// The functions of cuDNN that we call, as a table: nothing of cuDNN is linked, and tests put others
// in their place.
#pragma once

#include <memory>
#include <string>

#include <cudnn.h>

#include <fovea/error.h>

namespace fovea::cuda {

/// Functions of cuDNN and what is known of it. Immutable and thread-safe, but that a handle is for
/// one thread at a time.
struct CudnnLibrary {
  decltype(&::cudnnGetErrorString) error_string;
  decltype(&::cudnnGetLastErrorString) last_error_string;
  decltype(&::cudnnSetCallback) set_callback;
  decltype(&::cudnnCreate) create;
  decltype(&::cudnnDestroy) destroy;
  decltype(&::cudnnSetStream) set_stream;
  decltype(&::cudnnBackendCreateDescriptor) create_descriptor;
  decltype(&::cudnnBackendDestroyDescriptor) destroy_descriptor;
  decltype(&::cudnnBackendSetAttribute) set_attribute;
  decltype(&::cudnnBackendGetAttribute) get_attribute;
  decltype(&::cudnnBackendFinalize) finalize;
  decltype(&::cudnnBackendExecute) execute;

  std::string version;            ///< "9.19.0"
  bool compiles_kernels = false;  ///< NVRTC is there
};

/// cuDNN as load_cudnn_files() finds it, whose errors it throws. From now on cuDNN reports refusals
/// to us.
[[nodiscard]] std::shared_ptr<const CudnnLibrary> load_cudnn();

/// A call of cuDNN that failed.
class CudnnError : public DeviceError {
 public:
  CudnnError(cudnnStatus_t status, const std::string& message)
      : DeviceError(message, code_of(status)), status_(status) {}

  [[nodiscard]] cudnnStatus_t status() const { return status_; }

 private:
  static ErrorCode code_of(cudnnStatus_t status) {
    return status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED
               ? ErrorCode::kDeviceOutOfMemory
               : ErrorCode::kDeviceFailed;
  }

  cudnnStatus_t status_;
};

/// Has the library report refusals, for check(). The callback is one for the whole process.
void watch_refusals(const CudnnLibrary& library);

/// Throws CudnnError unless `status` is success, with cuDNN's own reason of this thread's last
/// call.
///
/// what   of the call, for the message: "building a plan"
void check(const CudnnLibrary& library, cudnnStatus_t status, const char* what);

}  // namespace fovea::cuda
