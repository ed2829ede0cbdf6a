#include "engine/backend/cpu/primitive_step.h"

#include <cstring>
#include <utility>

#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/formats.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

struct PrimitiveState final : StepState {
  std::unordered_map<int, dnnl::memory> args;
};

class PrimitiveStep final : public Step {
 public:
  explicit PrimitiveStep(PrimitiveSpec spec) : spec_(std::move(spec)) {}

  [[nodiscard]] std::unique_ptr<StepState> bind(const StepArgs& args,
                                                Stream& /*stream*/) const override {
    auto state = std::make_unique<PrimitiveState>();
    const auto add = [&](int name, const dnnl::memory::desc& desc, const std::byte* data) {
      state->args.emplace(name, read_memory(desc, data));
    };
    add(spec_.source.name, spec_.source.desc, args.inputs[0]);
    if (spec_.second.name != 0) add(spec_.second.name, spec_.second.desc, args.inputs[1]);
    add(spec_.destination.name, spec_.destination.desc, args.outputs[0]);
    add(DNNL_ARG_SCRATCHPAD, spec_.scratchpad, args.workspace);
    for (const PackedArg& packed : spec_.weights) add(packed.name, packed.desc, packed.data.get());
    return state;
  }

  void enqueue(const StepArgs& args, Stream& stream) const override {
    auto& cpu_stream = dynamic_cast<CpuStream&>(stream);
    const ThreadScope threads(cpu_stream.threads());
    if (spec_.residual_input >= 0) {
      const std::byte* residual = args.inputs[static_cast<std::size_t>(spec_.residual_input)];
      if (residual != args.outputs[0]) {
        std::memcpy(args.outputs[0], residual, spec_.destination.desc.get_size());
      }
    }
    try {
      spec_.primitive.execute(cpu_stream.dnnl(), dynamic_cast<PrimitiveState&>(*args.state).args);
    } catch (const dnnl::error& error) {
      throw DeviceError(cat("oneDNN could not execute a primitive: ", error.what()));
    }
  }

 private:
  PrimitiveSpec spec_;
};

}  // namespace

std::unique_ptr<Step> make_primitive_step(PrimitiveSpec spec) {
  return std::make_unique<PrimitiveStep>(std::move(spec));
}

dnnl::primitive_attr base_attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

}  // namespace fovea::cpu
