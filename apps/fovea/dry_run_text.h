// What `fovea compile --dry-run` prints.
#pragma once

#include <string>

#include <fovea/dry_run.h>

namespace fovea::app {

/// Batch sizes with their memory and floors, and every step of the largest one, as lines.
[[nodiscard]] std::string dry_run_text(const DryRun& run);

/// Everything, as one JSON object in a line.
[[nodiscard]] std::string dry_run_json(const DryRun& run);

}  // namespace fovea::app
