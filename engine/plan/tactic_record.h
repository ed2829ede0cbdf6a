// What was chosen and why, as data: for --explain, plan files and locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/plan/tactic_choices.h"
#include "engine/plan/tactic_options.h"

namespace fovea {

/// What decided, in the order in which they are asked.
enum class TacticSource : std::uint8_t { kForced, kLocked, kPlan, kCache, kMeasured, kHeuristic };

/// "forced", "locked", "plan", "cache", "measured", "heuristic".
[[nodiscard]] std::string_view to_string(TacticSource source);

/// A tactic that a backend offered.
struct TacticCandidate {
  std::string tactic{};
  double microseconds =
      0;                  ///< median of one run with the conversions that it needs; 0: not measured
  std::string refused{};  ///< why a measurement discarded it; empty: it did not
  bool wrong = false;     ///< refused for its result, and not because it could not be run

  bool operator==(const TacticCandidate&) const = default;
};

/// The choice for one node in one batch size and thread count.
struct TacticDecision {
  std::string node{};
  std::int64_t batch = 0;
  int threads = 1;          ///< CPU threads of a run
  std::string signature{};  ///< see op_signature.h
  std::string tactic{};
  TacticSource source = TacticSource::kHeuristic;
  std::vector<TacticCandidate> candidates{};  ///< in the backend's order
  std::size_t heuristic = 0;                  ///< which of them the heuristic takes
  std::string refusal{};                      ///< Backend::refusal()
};

/// What measuring took.
struct TuningSummary {
  double seconds = 0;  ///< spent
  double limit_seconds = 0;
  bool times_kept = true;       ///< for the next compilation
  std::size_t measured = 0;     ///< distinct signatures
  std::size_t out_of_time = 0;  ///< distinct signatures left to the heuristic when the time was up
  std::size_t disturbed = 0;    ///< left to it because others had the processors meanwhile
};

struct TacticRecord {
  std::vector<TacticDecision> decisions{};  ///< by batch size, then in execution order
  TuningSummary tuning{};
  std::vector<std::string> notices{};  ///< what was expected and did not happen, for people
};

/// The record's choices by signature, as plan files keep them: without those that were forced or
/// locked, which hold for one node and not for others with its signature.
[[nodiscard]] Choices choices_of(const TacticRecord& record);

/// Adds what another compilation of the same network decided, and what it has to tell that the
/// first has not told yet. Both measured within the time of the first.
void append(TacticRecord& record, const TacticRecord& other);

/// How many operations were left unmeasured, why, and what to do about it.
[[nodiscard]] std::vector<std::string> notices_of(const TuningSummary& tuning);

/// The record's tactics by node and batch size, to be locked; of several thread counts the first
/// decides.
[[nodiscard]] LockedTactics locks_of(const TacticRecord& record);

}  // namespace fovea
