#include "engine/backend/reference/reference_backend.h"

#include <utility>

#include "engine/backend/host_stream.h"

namespace fovea {

namespace {

struct EvaluateState final : StepState {
  std::vector<ConstTensorView> inputs;
  std::vector<TensorView> outputs;
};

/// One operator; keeps the constants it reads alive.
class EvaluateStep final : public Step {
 public:
  explicit EvaluateStep(const OpSite& site) : op_(site.node.op), outputs_(site.node.outputs) {
    for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
      inputs_.push_back(site.input(i));
      const Constant* constant = site.constant(i);
      constants_.push_back(constant == nullptr ? nullptr : constant->data);
    }
  }

  [[nodiscard]] std::unique_ptr<StepState> bind(const StepArgs& args,
                                                Stream& /*stream*/) const override {
    auto state = std::make_unique<EvaluateState>();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const std::byte* data =
          constants_[i] == nullptr ? args.inputs[i] : constants_[i]->bytes().data();
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
  std::vector<std::shared_ptr<const Buffer>> constants_;
  std::vector<TensorDesc> outputs_;
};

class ReferenceBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "reference"; }

  /// Nothing is fused: the oracle runs the graph as it was described.
  [[nodiscard]] TargetTraits traits() const override { return {}; }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    Tactic tactic;
    tactic.name = "evaluate";
    tactic.inputs.resize(site.node.inputs.size());
    tactic.outputs.resize(site.node.outputs.size());
    tactic.build = [site](const BuildArgs&) { return std::make_unique<EvaluateStep>(site); };
    return {tactic};
  }

  [[nodiscard]] Tactic conversion(const TensorDesc& /*desc*/,
                                  const Layout& from,
                                  const Layout& to) const override {
    throw Error(ErrorCode::kInternal,
                cat("reference was asked to convert ", to_string(from), " to ", to_string(to)));
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int /*threads*/) const override {
    return std::make_unique<HostStream>();
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    return allocate_host(bytes);
  }

  [[nodiscard]] MemoryInfo memory_info() const override { return host_memory_info(); }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend() {
  return std::make_unique<ReferenceBackend>();
}

}  // namespace fovea
