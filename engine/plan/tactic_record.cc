#include "engine/plan/tactic_record.h"

#include <algorithm>

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

LockedTactics locks_of(const TacticRecord& record) {
  LockedTactics locked;
  for (const TacticDecision& decision : record.decisions) {
    locked[decision.node][decision.batch] = decision.tactic;
  }
  return locked;
}

}  // namespace fovea
