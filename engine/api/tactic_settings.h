// Where a compilation takes its tactics from, as public options and the environment say it.
#pragma once

#include <fovea/options.h>

#include "engine/plan/tactic_options.h"

namespace fovea {

/// CompileOptions::tuning, tuning_seconds and the file `lock`, $FOVEA_TACTIC, and the timing cache
/// below cache_home(). Throws InvalidArgument, naming the file or variable, and io/read.
[[nodiscard]] TacticOptions tactic_options(const CompileOptions& options);

}  // namespace fovea
