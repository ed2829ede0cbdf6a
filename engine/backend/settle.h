// Waiting for a stream whose results nobody wants any more.
#pragma once

#include "engine/backend/backend.h"

namespace fovea {

/// Waits until nothing that was enqueued is at work, so that its memory can be given up. Returns
/// false where the work failed: then it is at an end, too.
inline bool settle(Stream& stream) noexcept {
  try {
    stream.synchronize();
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace fovea
