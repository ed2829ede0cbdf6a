#include "tests/gpu/run_cases.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include <gtest/gtest.h>

namespace testing::internal {

std::vector<Case>& cases() {
  static std::vector<Case> list;
  return list;
}

std::vector<Expansion>& expansions() {
  static std::vector<Expansion> list;
  return list;
}

namespace {

/// Of the test that runs.
struct Running {
  std::vector<std::string> messages;
  std::vector<std::string> traces;
  bool failed = false;
  bool fatal = false;
  bool skipped = false;
};

Running running;

}  // namespace

void Note::operator=(const Message& message) const {
  running.failed = running.failed || outcome_ != Outcome::kSkipped;
  running.fatal = running.fatal || outcome_ == Outcome::kFatal;
  running.skipped = running.skipped || outcome_ == Outcome::kSkipped;
  constexpr std::size_t kMost = 20;
  if (running.messages.size() >= kMost) return;
  std::string text = std::string(file_) + ":" + std::to_string(line_) + ": " + what_;
  if (const std::string& more = message.GetString(); !more.empty()) text += "; " + more;
  for (const std::string& trace : running.traces) text += " [" + trace + "]";
  running.messages.push_back(std::move(text));
}

Trace::Trace(const Message& message) {
  running.traces.push_back(message.GetString());
}

Trace::~Trace() {
  running.traces.pop_back();
}

}  // namespace testing::internal

namespace testing {

bool Test::IsSkipped() {
  return internal::running.skipped;
}

bool Test::HasFatalFailure() {
  return internal::running.fatal;
}

}  // namespace testing

namespace fovea::selftest {

namespace {

using testing::internal::Case;
using testing::internal::running;

std::vector<Case> all_cases() {
  std::vector<Case> all = testing::internal::cases();
  for (const auto& expansion : testing::internal::expansions()) {
    for (Case& test : expansion()) all.push_back(std::move(test));
  }
  std::ranges::stable_sort(all, {}, &Case::name);
  return all;
}

void run(const Case& test) {
  const std::unique_ptr<testing::Test> instance = test.make();
  instance->SetUp();
  if (!running.skipped && !running.fatal) instance->TestBody();
  instance->TearDown();
}

CaseResult result_of(const Case& test) {
  running = {};
  const auto start = std::chrono::steady_clock::now();
  try {
    run(test);
  } catch (const std::exception& error) {
    running.failed = true;
    running.messages.emplace_back(std::string("throws: ") + error.what());
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  const CaseStatus done = running.skipped ? CaseStatus::kSkipped : CaseStatus::kPassed;
  return {.name = test.name,
          .status = running.failed ? CaseStatus::kFailed : done,
          .seconds = elapsed.count(),
          .messages = running.messages};
}

}  // namespace

std::vector<CaseResult> run_cases(const std::function<bool(std::string_view name)>& is_wanted,
                                  const std::function<void(const CaseResult&)>& on_result) {
  std::vector<CaseResult> results;
  for (const Case& test : all_cases()) {
    if (!is_wanted(test.name)) continue;
    results.push_back(result_of(test));
    on_result(results.back());
  }
  return results;
}

}  // namespace fovea::selftest
