// One candidate of a site as a plan would run it, in scratch memory, to be checked and timed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/backend/bound_step.h"
#include "engine/backend/weight_store.h"

namespace fovea {

/// Where something lies in a block of scratch memory, in bytes from the block's start.
struct TrialPlace {
  std::size_t buffer = 0;   ///< where the whole buffer starts
  std::size_t address = 0;  ///< where the first element is: later in a slice
  std::size_t bytes = 0;    ///< of the whole buffer
};

/// What stands for an input that is a Constant.
inline constexpr TrialPlace kNoPlace{static_cast<std::size_t>(-1), 0, 0};

/// The inputs of a site as they lie now, at the start of every block: shared by its candidates.
struct TrialInputs {
  explicit TrialInputs(const OpSite& site);

  std::vector<TrialPlace> places;  ///< one value that is read twice lies in one place
  std::size_t bytes = 0;
};

/// Addresses that do not change, and the steps that use them.
class BoundTrial {
 public:
  void enqueue(Stream& stream) const;

 private:
  friend class Trial;

  std::vector<BoundStep> steps_;
};

/// A candidate's steps: conversions of inputs that lie otherwise, the operation, conversions of its
/// outputs to where the others' lie. Immutable.
class Trial {
 public:
  /// Throws what the backend throws.
  ///
  /// results   the layouts that the site's outputs have to have at the end
  Trial(const Backend& backend,
        const OpSite& site,
        const TrialInputs& inputs,
        const Tactic& tactic,
        std::span<const Layout> results,
        WeightStore& weights);

  /// Of a block, inputs included.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  [[nodiscard]] std::size_t workspace_bytes() const { return workspace_bytes_; }

  /// What is timed: a convolution adds to its residual in place where it can, as in most plans.
  /// (Other operations would make their inputs ever larger or smaller.)
  [[nodiscard]] BoundTrial bind(std::byte* block, std::byte* workspace, Stream& stream) const;

  /// The same without touching the inputs, and the outputs then laid out densely.
  [[nodiscard]] BoundTrial bind_check(std::byte* block, std::byte* workspace, Stream& stream) const;

  /// Where bind_check() leaves the outputs.
  [[nodiscard]] std::span<const TrialPlace> dense_outputs() const { return dense_outputs_; }

 private:
  struct TrialStep {
    std::unique_ptr<Step> step;
    std::vector<TrialPlace> inputs;
    std::vector<TrialPlace> outputs;
  };

  TrialPlace add_place(const TensorDesc& desc, const Layout& layout);
  TrialPlace converted(const Backend& backend,
                       const TensorDesc& desc,
                       TrialPlace place,
                       const Layout& from,
                       const Layout& to,
                       WeightStore& weights,
                       std::vector<TrialStep>& steps);
  /// With the operation's output at `output`.
  [[nodiscard]] BoundTrial bind_steps(std::span<const TrialStep* const> steps,
                                      const TrialPlace& output,
                                      std::byte* block,
                                      std::byte* workspace,
                                      Stream& stream) const;

  std::vector<TrialStep> steps_;        ///< what is timed
  std::vector<TrialStep> check_steps_;  ///< to dense outputs, behind them
  std::vector<TrialPlace> dense_outputs_;
  TrialPlace output_ = kNoPlace;    ///< of the operation itself
  TrialPlace in_place_ = kNoPlace;  ///< where it may lie as well
  std::size_t bytes_ = 0;
  std::size_t workspace_bytes_ = 0;
};

}  // namespace fovea
