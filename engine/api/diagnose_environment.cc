#include <string_view>
#include <utility>

#include "engine/api/compile.h"
#include "engine/api/diagnose.h"
#include "engine/api/tactic_settings.h"
#include "engine/backend/cuda/cublaslt_file.h"
#include "engine/backend/cuda/cudnn_files.h"
#include "engine/core/env.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/importers/fetch_http.h"

namespace fovea {

namespace {

/// What speaks against the variable's value; empty: nothing.
std::string complaint(const env::Variable& variable) {
  const std::string_view name = variable.name;
  try {
    if (name == env::kDisablePasses.name) (void)disabled_passes();
    if (name == env::kTactic.name) (void)tactic_options({});
    if (name == env::kCudnnFolder.name) (void)cuda::load_cudnn_files();
    if (name == env::kCublasLtFolder.name) (void)cuda::load_cublaslt_file();
  } catch (const Unsupported& error) {
    return error.what();
  } catch (const InvalidArgument& error) {
    std::string text = error.what();
    const std::string start = cat(name, ": ");
    return text.starts_with(start) ? text.substr(start.size()) : text;
  }
  return {};
}

/// Adds the variable where it is set.
void check_variable(const env::Variable& variable, std::vector<Check>& checks) {
  const auto value = env::get(variable);
  if (!value) return;
  Check check{.area = "environment", .name = variable.name};
  // A mirror's address may hold a password.
  const bool is_url = check.name == env::kWeightsUrl.name;
  check.detail = printable(is_url ? shown_url(*value) : *value, 1'000);
  if (const std::string bad = complaint(variable); !bad.empty()) {
    check.status = CheckStatus::kProblem;
    check.detail = bad;
    check.fix = "correct or unset it";
  }
  checks.push_back(std::move(check));
}

}  // namespace

std::vector<Check> diagnose_environment() {
  std::vector<Check> checks;
  for (const env::Variable& variable : env::kTable) {
    if (std::string_view(variable.name).starts_with("FOVEA_")) check_variable(variable, checks);
  }
  check_variable(kOnednnIsa, checks);
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
