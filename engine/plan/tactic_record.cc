#include "engine/plan/tactic_record.h"

#include <algorithm>
#include <utility>

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

std::vector<std::string> notices_of(const TuningSummary& tuning) {
  const std::size_t all = tuning.measured + tuning.out_of_time + tuning.disturbed;
  const auto left = [all](std::size_t count) {
    return cat(count, " of ", all, " operations are computed as the backend thinks best; ");
  };
  std::vector<std::string> notices;
  if (tuning.out_of_time > 0) {
    notices.push_back(cat("tuning ended when its ",
                          seconds_text(tuning.limit_seconds),
                          " s were over: ",
                          left(tuning.out_of_time),
                          tuning.times_kept ? "compile again to measure them, or " : "",
                          "allow more seconds"));
  }
  if (tuning.disturbed > 0) {
    notices.push_back(cat("other programs used the processors while tactics were measured: ",
                          left(tuning.disturbed),
                          "compile again when they do not"));
  }
  return notices;
}

void append(TacticRecord& record, const TacticRecord& other) {
  const auto is_in = [](const std::vector<std::string>& notices, const std::string& notice) {
    return std::ranges::find(notices, notice) != notices.end();
  };
  const std::vector<std::string> ours = notices_of(record.tuning);
  std::erase_if(record.notices, [&](const std::string& notice) { return is_in(ours, notice); });
  const std::vector<std::string> theirs = notices_of(other.tuning);
  for (const std::string& notice : other.notices) {
    if (!is_in(theirs, notice) && !is_in(record.notices, notice)) record.notices.push_back(notice);
  }
  record.tuning.seconds += other.tuning.seconds;
  record.tuning.measured += other.tuning.measured;
  record.tuning.out_of_time += other.tuning.out_of_time;
  record.tuning.disturbed += other.tuning.disturbed;
  record.tuning.times_kept = record.tuning.times_kept && other.tuning.times_kept;
  for (std::string& notice : notices_of(record.tuning)) {
    record.notices.push_back(std::move(notice));
  }
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
