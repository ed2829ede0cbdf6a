#include "engine/backend/cpu/depthwise.h"

#include "engine/backend/cpu/depthwise_run.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/host_step.h"

namespace fovea::cpu {

namespace {

/// The sizes, with strides of dense outputs.
Depthwise describe(const OpSite& site, const Conv2d& conv, const Layout& input) {
  const Shape& x = site.input(0).shape;
  const Shape& y = site.node.outputs[0].shape;
  return {.batch = x[0],
          .channels = x[3],
          .rows = axis_of(site, conv, 0),
          .columns = axis_of(site, conv, 1),
          .input_stride = pixel_stride_of(site.input(0), input),
          .output_stride = y[3],
          .input_relu = conv.input_activation == ActivationKind::kRelu};
}

}  // namespace

std::optional<Tactic> depthwise_tactic(const OpSite& site) {
  const auto& conv = *site.node.as<Conv2d>();
  const std::int64_t channels = site.input(0).shape[3];
  const bool applies = conv.groups == channels && site.node.outputs[0].shape[3] == channels &&
                       !conv.residual && bounds_of(conv.activation);
  if (!applies) return {};

  Tactic tactic;
  tactic.name = "depthwise";
  tactic.inputs.assign(site.node.inputs.size(), Layout{});
  tactic.inputs[0] = channels_last(site.input(0), site.inputs[0]);
  tactic.outputs.resize(1);
  tactic.writes_slices = true;
  tactic.build = [site, conv, described = describe(site, conv, tactic.inputs[0])](
                     const BuildArgs& args) {
    Depthwise shape = described;
    shape.output_stride = pixel_stride_of(site.node.outputs[0], args.outputs[0]);
    const auto pack = [&](const StoredWeights& stored, std::span<float> packed) {
      pack_weights(shape, stored, packed);
    };
    return make_host_step(
        [shape,
         threads = site.threads,
         weights = pack_constant(args.weights, site, "depthwise", 1, shape.weight_floats(), pack),
         bias = padded_bias(args.weights, site, conv.bias, shape.padded_channels()),
         bounds =
             filter_bounds(conv, shape.channels, shape.padded_channels())](const StepArgs& step) {
          run(shape,
              floats(step.inputs[0]),
              floats(weights.get()),
              {.bias = floats(bias.get()), .low = bounds.low.data(), .high = bounds.high.data()},
              floats(step.outputs[0]),
              threads);
        });
  };
  return tactic;
}

}  // namespace fovea::cpu
