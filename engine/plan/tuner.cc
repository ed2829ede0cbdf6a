#include "engine/plan/tuner.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <memory>
#include <utility>

#include "engine/backend/capture.h"
#include "engine/core/processor_share.h"
#include "engine/core/require.h"
#include "engine/plan/trial.h"
#include "engine/plan/trial_memory.h"

namespace fovea {

namespace {

using Clock = std::chrono::steady_clock;

/// How long one site is measured: rounds, in each of which every candidate has its turn.
struct Effort {
  std::size_t rounds;
  double seconds;  ///< of one site's rounds, once there are kFewestRounds
};

constexpr std::size_t kFewestRounds = 3;

/// One turn takes at least so long, or the clock's steps would show.
constexpr double kTurnMicroseconds = 200;
constexpr double kMostRuns = 64;

/// A candidate goes no further whose fastest turn takes so many times as long as the best one's:
/// more rounds would not change that. Not before so many rounds: whatever else runs on the machine
/// can make a single turn as long as a time slice of the scheduler.
constexpr double kHopeless = 2.0;
constexpr std::size_t kRoundsToHope = 2;

/// On a device of its own, which nobody's time slice disturbs, a single run is enough for those
/// that take so many times as long as the best: cuDNN's last resort takes a hundred milliseconds
/// where others take one, and eight runs of it were most of what tuning took.
constexpr double kHopelessAtOnce = 10;

Effort effort_of(Tuning tuning) {
  return tuning == Tuning::kFull ? Effort{.rounds = 31, .seconds = 2.0}
                                 : Effort{.rounds = 7, .seconds = 0.2};
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// A candidate with its addresses in every block and the times of its turns.
class Contender {
 public:
  Contender(std::size_t candidate, const Trial& trial, const TrialMemory& memory, Stream& stream)
      : candidate_(candidate),
        stream_(&stream),
        start_(stream.make_event()),
        end_(stream.make_event()) {
    for (std::size_t i = 0; i < memory.blocks(); ++i) {
      blocks_.push_back(trial.bind(memory.block(i), memory.workspace(), stream));
    }
  }

  /// The time of one run, the first with these addresses.
  double run_once() { return microseconds_of(1); }

  /// Touches all memory and settles how many runs a turn has.
  void warm_up() {
    (void)microseconds_of(blocks_.size());
    const double time = microseconds_of(1);
    fastest_ = time;
    runs_ = static_cast<std::size_t>(std::clamp(kTurnMicroseconds / time, 1.0, kMostRuns));
    if (stream_->captures()) replay_ = captured(*stream_, [&] { enqueue(runs_); });
  }

  void take_turn() {
    times_.push_back(microseconds_of(runs_));
    fastest_ = std::min(fastest_, times_.back());
  }

  [[nodiscard]] std::size_t candidate() const { return candidate_; }

  [[nodiscard]] double microseconds() const { return median(times_); }

  /// Or the warm-up's last run.
  [[nodiscard]] double fastest_turn() const { return fastest_; }

 private:
  void enqueue(std::size_t runs) {
    for (std::size_t i = 0; i < runs; ++i) {
      blocks_[next_].enqueue(*stream_);
      next_ = (next_ + 1) % blocks_.size();
    }
  }

  /// The mean of so many runs.
  double microseconds_of(std::size_t runs) {
    stream_->record(*start_);
    if (replay_ != nullptr) {
      stream_->replay(*replay_);
    } else {
      enqueue(runs);
    }
    stream_->record(*end_);
    stream_->synchronize();
    return 1e3 * static_cast<double>(end_->elapsed_ms_since(*start_)) / static_cast<double>(runs);
  }

  std::size_t candidate_;
  Stream* stream_;
  std::unique_ptr<Event> start_;
  std::unique_ptr<Event> end_;
  std::vector<BoundTrial> blocks_;
  std::unique_ptr<Replay> replay_;
  std::size_t next_ = 0;
  std::size_t runs_ = 1;
  std::vector<double> times_;
  double fastest_ = 0;
};

/// The trials of one site; null where building one failed.
using Trials = std::vector<std::unique_ptr<Trial>>;

/// Calls `action`; what it throws is why the candidate is refused.
template <typename Action>
void refuse_where_it_throws(TacticCandidate& candidate, Action&& action) {
  try {
    action();
  } catch (const std::exception& error) {
    const std::string_view reason = error.what();
    candidate.refused = reason.empty() ? "it failed without saying why" : reason;
  }
}

Trials build_trials(const Backend& backend,
                    const OpSite& site,
                    const TrialInputs& inputs,
                    std::span<const Tactic> tactics,
                    std::span<const Layout> results,
                    std::span<TacticCandidate> candidates,
                    WeightStore& weights) {
  Trials trials(tactics.size());
  for (std::size_t i = 0; i < tactics.size(); ++i) {
    refuse_where_it_throws(candidates[i], [&] {
      trials[i] = std::make_unique<Trial>(backend, site, inputs, tactics[i], results, weights);
    });
  }
  return trials;
}

TrialMemory memory_for(const Backend& backend,
                       const OpSite& site,
                       const TrialInputs& inputs,
                       const Trials& trials,
                       Stream& stream) {
  std::size_t block = kBufferAlignment;
  std::size_t workspace = 0;
  for (const auto& trial : trials) {
    if (trial == nullptr) continue;
    block = std::max(block, trial->bytes());
    workspace = std::max(workspace, trial->workspace_bytes());
  }
  return {backend, site, inputs, block, workspace, stream};
}

/// Those whose results are right, warmed up; nothing where the time was up before. Writes why
/// others are refused, and the times of those that are hopeless.
std::optional<std::vector<Contender>> contenders_of(const Backend& backend,
                                                    const Trials& trials,
                                                    TrialMemory& memory,
                                                    Stream& stream,
                                                    Clock::time_point deadline,
                                                    std::span<TacticCandidate> candidates,
                                                    std::size_t heuristic) {
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (trials[i] == nullptr) continue;
    if (Clock::now() >= deadline) return std::nullopt;
    refuse_where_it_throws(candidates[i], [&] {
      candidates[i].refused = memory.check(*trials[i]);
      candidates[i].wrong = !candidates[i].refused.empty();
    });
  }
  std::vector<Contender> contenders;
  double best_once = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (!candidates[i].refused.empty()) continue;
    if (Clock::now() >= deadline) return std::nullopt;
    refuse_where_it_throws(candidates[i], [&] {
      Contender contender(i, *trials[i], memory, stream);
      const double once = contender.run_once();
      best_once = std::min(best_once, once);
      if (!backend.on_host() && i != heuristic && once > kHopelessAtOnce * best_once) {
        candidates[i].microseconds = once;
        return;
      }
      contender.warm_up();
      contenders.push_back(std::move(contender));
    });
  }
  return contenders;
}

/// Drops those that are too slow for more rounds to change that, but never the heuristic's.
void drop_hopeless(std::vector<Contender>& contenders, std::size_t heuristic) {
  const auto best = std::ranges::min_element(contenders, {}, &Contender::fastest_turn);
  const double limit = kHopeless * best->fastest_turn();
  std::erase_if(contenders, [&](const Contender& contender) {
    return contender.candidate() != heuristic && contender.fastest_turn() > limit;
  });
}

/// Writes the times of the contenders; false where the time was up before it could tell.
bool time_contenders(std::vector<Contender>& contenders,
                     const Effort& effort,
                     Clock::time_point deadline,
                     std::span<TacticCandidate> candidates,
                     std::size_t heuristic) {
  const auto end = std::min(deadline,
                            Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                               std::chrono::duration<double>(effort.seconds)));
  for (std::size_t round = 0; round < effort.rounds; ++round) {
    const auto limit = round < kFewestRounds ? deadline : end;
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      if (Clock::now() >= limit) return round >= kFewestRounds;
      // Back and forth, so that a machine that grows slower or faster favours nobody.
      const std::size_t turn = round % 2 == 0 ? i : contenders.size() - 1 - i;
      Contender& contender = contenders[turn];
      TacticCandidate& candidate = candidates[contender.candidate()];
      if (candidate.refused.empty()) {
        refuse_where_it_throws(candidate, [&] { contender.take_turn(); });
      }
    }
    std::erase_if(contenders, [&](const Contender& contender) {
      return !candidates[contender.candidate()].refused.empty();
    });
    if (contenders.empty()) return true;
    for (const Contender& contender : contenders) {
      candidates[contender.candidate()].microseconds = contender.microseconds();
    }
    if (round + 1 >= kRoundsToHope) drop_hopeless(contenders, heuristic);
  }
  return true;
}

std::optional<std::size_t> fastest(std::span<const TacticCandidate> candidates,
                                   std::size_t heuristic) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!candidates[i].refused.empty()) continue;
    if (!best || candidates[i].microseconds < candidates[*best].microseconds) best = i;
  }
  if (!best || !candidates[heuristic].refused.empty()) return best;
  const double limit = (1 - kLeastGain) * candidates[heuristic].microseconds;
  return candidates[*best].microseconds < limit ? *best : heuristic;
}

}  // namespace

Tuner::Tuner(const Backend& backend, Tuning tuning, double limit_seconds)
    : backend_(backend),
      tuning_(tuning),
      deadline_(Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(limit_seconds))) {
  summary_.limit_seconds = limit_seconds;
}

std::optional<std::size_t> Tuner::measure(const OpSite& site,
                                          std::span<const Tactic> tactics,
                                          std::size_t heuristic,
                                          std::span<TacticCandidate> candidates) {
  const auto start = Clock::now();
  const auto winner = measure_now(site, tactics, heuristic, candidates);
  summary_.seconds += std::chrono::duration<double>(Clock::now() - start).count();
  return winner;
}

std::optional<std::size_t> Tuner::measure_now(const OpSite& site,
                                              std::span<const Tactic> tactics,
                                              std::size_t heuristic,
                                              std::span<TacticCandidate> candidates) {
  const auto undecided = [&](std::size_t& count) -> std::optional<std::size_t> {
    ++count;
    for (TacticCandidate& candidate : candidates) candidate.microseconds = 0;
    return std::nullopt;
  };
  const auto out_of_time = [&] { return undecided(summary_.out_of_time); };
  if (Clock::now() >= deadline_) return out_of_time();
  if (!has_random_inputs(site)) return std::nullopt;

  const auto stream = backend_.make_stream(site.threads);
  WeightStore weights(backend_);  // a loser's packed weights must not stay in the plan
  const TrialInputs inputs(site);
  std::vector<Layout> results;
  results.reserve(site.node.outputs.size());
  for (std::size_t i = 0; i < site.node.outputs.size(); ++i) {
    results.push_back(site.wanted_layout(i).value_or(tactics[heuristic].outputs[i]));
  }
  const Trials trials = build_trials(backend_, site, inputs, tactics, results, candidates, weights);
  try {
    TrialMemory memory = memory_for(backend_, site, inputs, trials, *stream);
    auto contenders =
        contenders_of(backend_, trials, memory, *stream, deadline_, candidates, heuristic);
    if (!contenders) return out_of_time();
    if (contenders->empty()) return std::nullopt;
    const ProcessorShare share;
    if (!time_contenders(*contenders, effort_of(tuning_), deadline_, candidates, heuristic)) {
      return out_of_time();
    }
    if (backend_.on_host() && share.is_too_little()) return undecided(summary_.disturbed);
  } catch (const std::exception& error) {
    notices_.push_back(cat("'", site.node.name, "' is not measured: ", error.what()));
    return std::nullopt;
  }
  ++summary_.measured;
  return fastest(candidates, heuristic);
}

}  // namespace fovea
