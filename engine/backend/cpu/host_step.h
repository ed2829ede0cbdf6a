// A step of our own code on host memory.
#pragma once

#include <memory>
#include <utility>

#include "engine/backend/backend.h"

namespace fovea::cpu {

/// A step that calls `function(const StepArgs&)`, which must not allocate.
template <typename Function>
[[nodiscard]] std::unique_ptr<Step> make_host_step(Function function) {
  class HostStep final : public Step {
   public:
    explicit HostStep(Function f) : function_(std::move(f)) {}

    void enqueue(const StepArgs& args, Stream& /*stream*/) const override { function_(args); }

   private:
    Function function_;
  };

  return std::make_unique<HostStep>(std::move(function));
}

/// A tactic on dense tensors that calls `function(const StepArgs&)`.
template <typename Function>
[[nodiscard]] Tactic host_tactic(const OpSite& site, std::string name, Function function) {
  Tactic tactic;
  tactic.name = std::move(name);
  tactic.inputs.resize(site.node.inputs.size());
  tactic.outputs.resize(site.node.outputs.size());
  tactic.build = [function = std::move(function)](const BuildArgs&) {
    return make_host_step(function);
  };
  return tactic;
}

[[nodiscard]] inline const float* floats(const std::byte* data) {
  return reinterpret_cast<const float*>(data);
}

[[nodiscard]] inline float* floats(std::byte* data) {
  return reinterpret_cast<float*>(data);
}

}  // namespace fovea::cpu
