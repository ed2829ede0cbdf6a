// Runs the tests that are compiled into the program.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::selftest {

enum class CaseStatus : std::uint8_t { kPassed, kFailed, kSkipped };

struct CaseResult {
  std::string name;
  CaseStatus status = CaseStatus::kPassed;
  double seconds = 0;
  std::vector<std::string> messages;  ///< of its failures, or why it was skipped
};

/// Runs every test whose name is wanted, in the order of their names. An exception is a failure.
/// `on_result` is told of each when it is done.
[[nodiscard]] std::vector<CaseResult> run_cases(
    const std::function<bool(std::string_view name)>& is_wanted,
    const std::function<void(const CaseResult&)>& on_result);

}  // namespace fovea::selftest
