#include "engine/plan/tactic_record.h"

#include <algorithm>

#include "engine/core/require.h"

namespace fovea {

namespace {

bool is_of_node(TacticSource source) {
  return source == TacticSource::kForced || source == TacticSource::kLocked;
}

/// The time that decided, or 0 where none did.
double time_of(const TacticDecision& decision) {
  if (decision.source == TacticSource::kHeuristic) return 0;
  const auto chosen =
      std::ranges::find(decision.candidates, decision.tactic, &TacticCandidate::tactic);
  return chosen == decision.candidates.end() ? 0 : chosen->microseconds;
}

}  // namespace

std::string_view to_string(TacticSource source) {
  switch (source) {
    case TacticSource::kForced:
      return "forced";
    case TacticSource::kLocked:
      return "locked";
    case TacticSource::kPlan:
      return "plan";
    case TacticSource::kCache:
      return "cache";
    case TacticSource::kMeasured:
      return "measured";
    case TacticSource::kHeuristic:
      break;
  }
  return "heuristic";
}

Choices choices_of(const TacticRecord& record) {
  Choices choices;
  for (const TacticDecision& decision : record.decisions) {
    if (is_of_node(decision.source)) continue;
    choices.try_emplace(decision.signature, Choice{decision.tactic, time_of(decision)});
  }
  return choices;
}

std::string out_of_time_notice(const TuningSummary& tuning) {
  return cat("tuning ended when its ",
             seconds_text(tuning.limit_seconds),
             " s were over: ",
             tuning.out_of_time,
             " of ",
             tuning.measured + tuning.out_of_time,
             " operations are computed as the backend thinks best; ",
             tuning.times_kept ? "compile again to measure them, or " : "",
             "allow more seconds");
}

void append(TacticRecord& record, const TacticRecord& other) {
  const auto told = [&](const std::string& notice) {
    return std::ranges::find(record.notices, notice) != record.notices.end();
  };
  const auto of_time = [](const TacticRecord& part) {
    return part.tuning.out_of_time > 0 ? out_of_time_notice(part.tuning) : std::string();
  };
  std::erase(record.notices, of_time(record));
  for (const std::string& notice : other.notices) {
    if (notice != of_time(other) && !told(notice)) record.notices.push_back(notice);
  }
  record.tuning.seconds += other.tuning.seconds;
  record.tuning.measured += other.tuning.measured;
  record.tuning.out_of_time += other.tuning.out_of_time;
  record.tuning.times_kept = record.tuning.times_kept && other.tuning.times_kept;
  if (record.tuning.out_of_time > 0) record.notices.push_back(of_time(record));
  record.decisions.insert(record.decisions.end(), other.decisions.begin(), other.decisions.end());
}

LockedTactics locks_of(const TacticRecord& record) {
  LockedTactics locked;
  for (const TacticDecision& decision : record.decisions) {
    locked[decision.node].try_emplace(decision.batch, decision.tactic);
  }
  return locked;
}

}  // namespace fovea
