// The backends for devices other than the CPU that this build has: one of two files says which.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "engine/backend/backend.h"

namespace fovea {

struct BackendEntry {
  std::string_view name;

  /// Devices that it can use here, which are numbered from 0.
  int (*device_count)();

  /// The backend on one of them. Throws DeviceError (device/none) for another number.
  std::unique_ptr<Backend> (*make)(int device);
};

/// Fastest first.
[[nodiscard]] std::span<const BackendEntry> device_backends();

/// The backend of a device type that need not be here, such as "sm_90": its plans can be looked at.
/// Throws InvalidArgument for an unknown one, Unsupported where this build has none.
[[nodiscard]] std::unique_ptr<Backend> make_target_backend(std::string_view target);

}  // namespace fovea
