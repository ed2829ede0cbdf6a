// What plan files keep of cuDNN's: the engines that were chosen, and their plans.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/cudnn_plan.h"

namespace fovea::cuda {

/// The engine that a tactic stood for.
struct SavedEngine {
  CudnnCandidate candidate;
  std::size_t rank = 0;  ///< that the tactic is named by; 0: it is named by the engine
};

/// What a step keeps to be saved.
struct CudnnKept {
  CudnnConvolution asked;  ///< the convolution whose engines were offered
  SavedEngine engine;

  /// Plans of that engine: for `asked`, or with the output somewhere else.
  std::vector<std::pair<CudnnConvolution, std::shared_ptr<const CudnnPlan>>> plans;

  /// `asked` with a slice as its output, and whether the engine can be trusted to write that;
  /// nothing where the output is none.
  std::optional<std::pair<CudnnConvolution, bool>> slice{};
};

/// Adds the engine, what is known of the slice, and those plans that cuDNN gives as text.
void save(const CudnnKept& kept, SavedState& state);

/// Adds that something else computes the convolution.
///
/// refusal   why cuDNN does not; empty: something else was chosen
void save_passed_over(const CudnnConvolution& convolution,
                      const std::string& refusal,
                      SavedState& state);

/// The inverse, for many steps. Immutable.
class SavedPlans {
 public:
  SavedPlans() = default;

  /// Entries that save() of this version does not write are left aside.
  explicit SavedPlans(const SavedState& state);

  /// Those that were chosen for the convolution; mostly one or none.
  [[nodiscard]] std::span<const SavedEngine> engines(const CudnnConvolution& convolution) const;

  /// What save_passed_over() was given for the convolution as a refusal; null where it was not.
  [[nodiscard]] const std::string* passed_over(const CudnnConvolution& convolution) const;

  /// CudnnPlan::json(), or null.
  [[nodiscard]] const std::string* plan(const CudnnConvolution& convolution,
                                        const CudnnEngine& engine) const;

  /// Whether the engine can be trusted to write the slice that is the convolution's output; nothing
  /// where that was not saved.
  [[nodiscard]] std::optional<bool> writes_slice(const CudnnConvolution& convolution,
                                                 const CudnnEngine& engine) const;

  /// Entries that were left aside.
  [[nodiscard]] std::size_t unknown() const { return unknown_; }

 private:
  std::map<std::string, std::vector<SavedEngine>> engines_;  ///< by the convolution as text
  SavedState plans_;                                         ///< by their keys in the state
  std::map<std::string, bool> slices_;                       ///< likewise
  std::map<std::string, std::string> passed_over_;           ///< refusals, by the convolution
  std::size_t unknown_ = 0;
};

}  // namespace fovea::cuda
