#include "engine/backend/evaluate_step.h"

#include <memory>
#include <vector>

#include "engine/backend/weight_store.h"

namespace fovea {

namespace {

struct EvaluateState final : StepState {
  std::vector<ConstTensorView> inputs;
  std::vector<TensorView> outputs;
};

/// One operator; keeps the constants it reads alive.
class EvaluateStep final : public Step {
 public:
  EvaluateStep(const OpSite& site, WeightStore& weights)
      : op_(site.node.op), outputs_(site.node.outputs) {
    for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
      inputs_.push_back(site.input(i));
      const Constant* constant = site.constant(i);
      constants_.push_back(constant == nullptr ? PinnedBytes({}, nullptr)
                                               : weights.unpacked(*constant));
    }
  }

  [[nodiscard]] std::unique_ptr<StepState> bind(const StepArgs& args,
                                                Stream& /*stream*/) const override {
    auto state = std::make_unique<EvaluateState>();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const std::byte* data =
          constants_[i].data() == nullptr ? args.inputs[i] : constants_[i].data();
      state->inputs.push_back({&inputs_[i], data});
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      state->outputs.push_back({&outputs_[i], args.outputs[i]});
    }
    return state;
  }

  void enqueue(const StepArgs& args, Stream& /*stream*/) const override {
    const auto& state = dynamic_cast<const EvaluateState&>(*args.state);
    evaluate(op_, state.inputs, state.outputs);
  }

 private:
  Op op_;
  std::vector<TensorDesc> inputs_;
  std::vector<PinnedBytes> constants_;  ///< empty for inputs that are no Constants
  std::vector<TensorDesc> outputs_;
};

}  // namespace

Tactic evaluate_tactic(const OpSite& site) {
  Tactic tactic;
  tactic.name = "evaluate";
  tactic.inputs.resize(site.node.inputs.size());
  tactic.outputs.resize(site.node.outputs.size());
  tactic.build = [site](const BuildArgs& args) {
    return std::make_unique<EvaluateStep>(site, args.weights);
  };
  return tactic;
}

}  // namespace fovea
