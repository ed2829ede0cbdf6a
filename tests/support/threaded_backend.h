// A backend whose streams are threads: for tests of what waits for what.
#pragma once

#include <memory>

#include "engine/backend/backend.h"

namespace fovea::test {

/// The reference's steps on streams that each have a thread, which runs what is enqueued while the
/// host goes on; events and captures as on a device. Only what events and waits order is ordered,
/// so the thread sanitizer sees every wait that is missing.
[[nodiscard]] std::unique_ptr<Backend> make_threaded_backend();

}  // namespace fovea::test
