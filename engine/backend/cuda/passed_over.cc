#include "engine/backend/cuda/passed_over.h"

#include <memory>
#include <utility>

namespace fovea::cuda {

namespace {

using SharedState = std::shared_ptr<const SavedState>;

/// Another step, and what it saves beside its own.
class SavingStep final : public Step {
 public:
  SavingStep(std::unique_ptr<Step> step, SharedState saved)
      : step_(std::move(step)), saved_(std::move(saved)) {}

  [[nodiscard]] std::unique_ptr<StepState> bind(const StepArgs& args,
                                                Stream& stream) const override {
    return step_->bind(args, stream);
  }

  void enqueue(const StepArgs& args, Stream& stream) const override {
    step_->enqueue(args, stream);
  }

  void save(SavedState& state) const override {
    step_->save(state);
    state.insert(saved_->begin(), saved_->end());
  }

 private:
  std::unique_ptr<Step> step_;
  SharedState saved_;
};

}  // namespace

std::vector<Tactic> in_place_of(const ConvolutionLibrary* library,
                                std::span<const OpSite> sites,
                                std::vector<Tactic> tactics) {
  if (library == nullptr || tactics.empty()) return tactics;
  SavedState state;
  for (const OpSite& site : sites) state.merge(library->passed_over(site));
  if (state.empty()) return tactics;
  const auto saved = std::make_shared<const SavedState>(std::move(state));
  for (Tactic& tactic : tactics) {
    tactic.build = [build = std::move(tactic.build), saved](const BuildArgs& args) {
      return std::make_unique<SavingStep>(build(args), saved);
    };
  }
  return tactics;
}

}  // namespace fovea::cuda
