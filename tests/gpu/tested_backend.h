// The backend that the self-test is linked with: one of two files defines it.
#pragma once

#include <memory>

#include "engine/backend/backend.h"

namespace fovea::selftest {

/// Throws DeviceError (device/none) where there is no device.
[[nodiscard]] std::unique_ptr<Backend> make_tested_backend();

}  // namespace fovea::selftest
