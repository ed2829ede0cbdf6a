#include "engine/api/diagnose.h"
#include "engine/core/env.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/importers/fetch_http.h"

namespace fovea {

std::vector<Check> diagnose_environment() {
  std::vector<Check> checks;
  for (const env::Variable& variable : env::kTable) {
    const auto value = env::get(variable);
    if (!value || !std::string_view(variable.name).starts_with("FOVEA_")) continue;
    // A mirror's address may hold a password.
    const bool is_url = std::string_view(variable.name) == env::kWeightsUrl.name;
    checks.push_back({.area = "environment",
                      .name = variable.name,
                      .detail = printable(is_url ? shown_url(*value) : *value, 1'000)});
  }
  for (const std::string& name : env::unknown_variables("FOVEA_")) {
    checks.push_back({.area = "environment",
                      .name = printable(name),
                      .status = CheckStatus::kNote,
                      .detail = "is set, but no variable of that name is read",
                      .fix = "look for a slip in its name"});
  }
  if (checks.empty()) {
    checks.push_back(
        {.area = "environment", .name = "variables", .detail = "none of Fovea's is set"});
  }
  return checks;
}

}  // namespace fovea
