// Chooses a tactic for every operation of a compilation.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/plan/tactic_options.h"
#include "engine/plan/tactic_record.h"

namespace fovea {

class TimingCache;
class Tuner;

/// Takes, in this order: the tactic that is forced for the node, the one that is locked (a plan
/// file's locks come after those of this compilation), the one that a plan file or the timing cache
/// has for the operation's signature (full tuning asks the cache for what full tuning has found),
/// the winner of a measurement, and the heuristic's: the one that is expected to take the least
/// time with the conversions and copies that it needs, where the backend expects any (Tactic), else
/// the one that needs the fewest bytes converted or copied; the backend's order decides ties. What
/// a measurement has found wrong is not taken from the cache or the heuristic. The timing cache has
/// the winner among the tactics that are offered: another set of them is measured anew, while a
/// plan file's choice is taken wherever it is offered. Used by one thread, for all batch sizes of
/// one compilation, which share its measurements.
class TacticSelector {
 public:
  /// Reads the timing cache where tuning is on; `backend` outlives the selector.
  ///
  /// graph   optimised, for the names of its nodes
  /// Throws InvalidArgument, naming the node, for a forced or locked one that `graph` lacks.
  TacticSelector(const Backend& backend, const Graph& graph, TacticOptions options);

  ~TacticSelector();
  TacticSelector(const TacticSelector&) = delete;
  TacticSelector& operator=(const TacticSelector&) = delete;

  /// Choices from now on are for this batch size.
  void start_batch(std::int64_t batch) { batch_ = batch; }

  /// The tactic for a site. Asked again for the same node and batch size, it keeps the later
  /// answer. A forced or locked one that is offered on another number of threads alone is left
  /// aside and told. Throws Unsupported where the backend has none, InvalidArgument that lists the
  /// offered names where a forced or locked one is not offered on any number of threads,
  /// DeviceError where a measurement has found all of them to be wrong.
  [[nodiscard]] Tactic choose(const OpSite& site);

  /// Writes the timing cache and returns what was chosen and why.
  [[nodiscard]] TacticRecord finish();

 private:
  struct Pick {
    std::size_t tactic = 0;
    TacticSource source = TacticSource::kHeuristic;
  };

  [[nodiscard]] Pick pick(const OpSite& site,
                          const std::vector<Tactic>& tactics,
                          TacticDecision& decision);
  [[nodiscard]] std::size_t best_left(const OpSite& site,
                                      const std::vector<Tactic>& tactics,
                                      const TacticDecision& decision) const;
  void tell_refused(const TacticDecision& decision);
  [[nodiscard]] const std::string* lock_of(const LockedTactics& locked,
                                           const std::string& node) const;
  [[nodiscard]] bool is_for_other_threads(const OpSite& site, const std::string& name) const;
  [[nodiscard]] std::optional<Pick> offered(const OpSite& site,
                                            const std::vector<Tactic>& tactics,
                                            const std::string& name,
                                            TacticSource source);
  [[nodiscard]] std::optional<Pick> named(const OpSite& site, const std::vector<Tactic>& tactics);
  [[nodiscard]] std::optional<Pick> planned(const std::vector<Tactic>& tactics,
                                            TacticDecision& decision);
  [[nodiscard]] std::optional<Pick> cached(const std::vector<Tactic>& tactics,
                                           Tuning least,
                                           TacticDecision& decision) const;
  [[nodiscard]] std::optional<Pick> measured(const OpSite& site,
                                             const std::vector<Tactic>& tactics,
                                             TacticDecision& decision);

  const Backend& backend_;
  TacticOptions options_;
  std::unique_ptr<TimingCache> cache_;                              ///< null: none
  std::unique_ptr<Tuner> tuner_;                                    ///< null: tuning is off
  std::map<std::string, std::vector<TacticCandidate>> candidates_;  ///< measured, by signature
  std::map<std::string, std::string> winners_;  ///< of the measurements, by signature
  std::set<std::string> told_refused_;          ///< signatures whose refused tactics were told

  /// Tactics that were asked for and are not offered.
  struct LeftAside {
    std::set<std::string, std::less<>> nodes;
    std::string first;  ///< the first one and its node

    void add(const std::string& node, const std::string& tactic);
  };

  LeftAside of_plan_;           ///< choices and locks of the plan file
  LeftAside of_other_threads_;  ///< forced and locked ones
  int threads_ = 1;             ///< of the site that was last looked at
  std::int64_t batch_ = 1;
  std::map<std::pair<std::int64_t, std::string>, std::size_t> decided_;  ///< in record_.decisions
  TacticRecord record_;
};

}  // namespace fovea
