#include <fovea/explain.h>

#include "engine/core/file.h"
#include "engine/plan/execution_plan.h"

namespace fovea {

Explanation explain(const Plan& plan) {
  Explanation explanation;
  for (const Decision& decision : plan.impl()->report.decisions()) {
    explanation.rewrites.push_back({decision.pass, decision.node, decision.taken, decision.reason});
  }
  for (const TacticDecision& decision : plan.impl()->tactics.decisions) {
    ChosenTactic chosen{.node = decision.node,
                        .batch = decision.batch,
                        .threads = decision.threads,
                        .tactic = decision.tactic,
                        .source = std::string(to_string(decision.source)),
                        .offered = {},
                        .refusal = decision.refusal};
    for (const TacticCandidate& candidate : decision.candidates) {
      chosen.offered.push_back({candidate.tactic, candidate.microseconds, candidate.refused});
    }
    explanation.tactics.push_back(std::move(chosen));
  }
  return explanation;
}

void save_tactics(const Plan& plan, std::string_view file) {
  write_file_atomic(file, locked_tactics_json(locks_of(plan.impl()->tactics)));
}

}  // namespace fovea
