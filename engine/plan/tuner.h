// Measures the candidates of one operation against each other.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/plan/tactic_options.h"
#include "engine/plan/tactic_record.h"

namespace fovea {

/// A candidate must be this much faster than the heuristic's choice to displace it: less is noise.
inline constexpr double kLeastGain = 0.02;

/// Measures with real weights and pseudo-random inputs, on a stream of the backend. One thread.
class Tuner {
 public:
  /// The time for all measurements starts now.
  Tuner(const Backend& backend, Tuning tuning, double limit_seconds);

  /// The best of the tactics, or nothing where that cannot be said: the time is up, there is too
  /// little memory, other processes had the processors, or none of them gave a right result. Times
  /// and reasons of refusal are written to `candidates`, which are in the order of `tactics`.
  ///
  /// Every candidate's results are compared with the reference first; one that throws or is wrong
  /// is refused. Its time is that of the step, of the conversions that its inputs need, and of the
  /// way to where the result is wanted, or else to where the heuristic's lies: nobody wins at his
  /// neighbours' cost.
  [[nodiscard]] std::optional<std::size_t> measure(const OpSite& site,
                                                   std::span<const Tactic> tactics,
                                                   std::size_t heuristic,
                                                   std::span<TacticCandidate> candidates);

  [[nodiscard]] const TuningSummary& summary() const { return summary_; }

  /// Sentences about operations that could not be measured.
  [[nodiscard]] const std::vector<std::string>& notices() const { return notices_; }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] std::optional<std::size_t> measure_now(const OpSite& site,
                                                       std::span<const Tactic> tactics,
                                                       std::size_t heuristic,
                                                       std::span<TacticCandidate> candidates);

  const Backend& backend_;
  Tuning tuning_;
  Clock::time_point deadline_;
  TuningSummary summary_;
  std::vector<std::string> notices_;
};

}  // namespace fovea
