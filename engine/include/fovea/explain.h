// Why a plan is what it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/plan.h>

namespace fovea {

/// What the compiler did with one candidate for a rewrite or a place.
struct RewriteDecision {
  std::string pass;  ///< "fold-batch-norm"; "place" and "in-place" are about memory
  std::string node;  ///< that was looked at; empty: the whole network
  bool taken = false;
  std::string reason;  ///< what became of the node, or the condition that failed
};

/// A way to compute a node that the backend offered.
struct OfferedTactic {
  std::string tactic;
  double microseconds = 0;  ///< measured, conversions of its inputs included; 0: not measured
  std::string refused;      ///< why a measurement discarded it; empty: it did not
};

/// How a node is computed at one batch size, by runs on so many CPU threads.
struct ChosenTactic {
  std::string node;
  std::int64_t batch = 0;
  int threads = 1;
  std::string tactic;
  std::string source;  ///< what decided: forced, locked, plan, cache, measured or heuristic
  std::vector<OfferedTactic> offered;

  /// Why the library that the backend would rather take, such as cuDNN, has nothing for the node;
  /// empty where it has, or where there is no such library.
  std::string refusal;
};

struct Explanation {
  std::vector<RewriteDecision> rewrites;  ///< in the order in which they were decided
  std::vector<ChosenTactic> tactics;      ///< by threads, batch size, then in execution order
};

/// What the compilation of the plan decided, and why; of a saved plan also the tactics of the runs
/// on one thread each that a classifier of many pictures makes of it. Thread-safe.
[[nodiscard]] Explanation explain(const Plan& plan);

/// Writes how the plan computes each node at each batch size, as CompileOptions::lock takes it: all
/// of it pins a later compilation to the same choices, a part of it some nodes. Where a
/// classifier's plan has runs on all threads and others on one, those on all are written; the
/// others keep to it where one thread is offered the same tactic, and choose for themselves
/// elsewhere. The file appears when it is complete. Throws Error: io/write, io/no-space.
/// Thread-safe.
void save_tactics(const Plan& plan, std::string_view file);

}  // namespace fovea
