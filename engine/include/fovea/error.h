// Exceptions of the library and the stable codes they carry.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fovea {

/// What went wrong, as a stable `area/what` code (see to_string). Scripts and services may rely on
/// the codes; messages are for people.
enum class ErrorCode : std::uint8_t {
  kImageNotFound,
  kImageUnreadable,
  kImageUnsupportedFormat,
  kImageTruncated,
  kImageCorrupt,
  kImageTooLarge,
  kQueueFull,
  kQueueDeadline,
  kQueueCancelled,
  kArgumentInvalid,
  kArgumentUnsupported,
  kModelNotFound,
  kModelUnsupportedOp,
  kModelUnsupportedFormat,
  kModelCorrupt,
  kModelLimit,
  kModelImporterCrashed,
  kWeightsMissing,
  kWeightsHashMismatch,
  kWeightsShapeMismatch,
  kPlanCorrupt,
  kPlanVersion,
  kPlanDevice,
  kDeviceNone,
  kDeviceOutOfMemory,
  kDeviceFailed,
  kIoRead,
  kIoWrite,
  kIoNoSpace,
  kWeightsOffline,
  kWeightsDownload,
  kInternal,
};

/// The code's text, for example "image/truncated".
[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

/// The code of that text; kInternal for an unknown one.
[[nodiscard]] ErrorCode error_code(std::string_view text) noexcept;

/// Root of every exception that this library throws.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// The caller broke a documented precondition, for example a wrong shape.
class InvalidArgument : public Error {
 public:
  explicit InvalidArgument(const std::string& message)
      : Error(ErrorCode::kArgumentInvalid, message) {}
};

/// The request is legal, but nothing that is enabled here can serve it.
class Unsupported : public Error {
 public:
  explicit Unsupported(const std::string& message, ErrorCode code = ErrorCode::kArgumentUnsupported)
      : Error(code, message) {}
};

/// A call into a device library (CUDA, cuDNN, cuBLAS, oneDNN) failed.
class DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message, ErrorCode code = ErrorCode::kDeviceFailed)
      : Error(code, message) {}
};

}  // namespace fovea
