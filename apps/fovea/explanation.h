// What --explain prints.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include <fovea/explain.h>

namespace fovea::app {

/// A table of rewrites, each with "yes" or "no" and the reason, and one of tactics with what each
/// source of them means. Rewrites of one pass with one outcome and one reason are one row with the
/// number of nodes: most networks repeat their blocks. Lines are broken at kTextColumns.
[[nodiscard]] std::string explanation_text(const Explanation& explanation);

/// {"rewrites": [...], "tactics": [...]}, every decision.
[[nodiscard]] nlohmann::ordered_json explanation_json(const Explanation& explanation);

}  // namespace fovea::app
