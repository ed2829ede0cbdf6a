// The backends for devices other than the CPU that this build has: one of two files says which.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "engine/backend/backend.h"

namespace fovea {

struct BackendEntry {
  std::string_view name;

  /// Throws DeviceError where no such device can be used.
  std::unique_ptr<Backend> (*make)();
};

/// Fastest first.
[[nodiscard]] std::span<const BackendEntry> device_backends();

/// The backend of a device type that need not be here, such as "sm_90": its plans can be looked at.
/// Throws InvalidArgument for an unknown one, Unsupported where this build has none.
[[nodiscard]] std::unique_ptr<Backend> make_target_backend(std::string_view target);

}  // namespace fovea
