#include "engine/backend/cpu/direct.h"

#include <string>
#include <utility>

#include "engine/backend/cpu/avx512.h"
#include "engine/backend/cpu/conv_operands.h"
#include "engine/backend/cpu/direct_run.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/range.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

using direct::Convolution;
using direct::Schedule;

/// Whether the tactics compute this convolution at all.
bool applies(const OpSite& site, const Conv2d& conv) {
  const Shape& ohwi = site.input(1).shape;
  return conv.groups == 1 && ohwi[1] * ohwi[2] <= direct::kMostTaps && bounds_of(conv.activation);
}

/// The sizes, with strides of dense outputs.
Convolution describe(const OpSite& site, const Conv2d& conv, const Layout& input) {
  const Shape& x = site.input(0).shape;
  const Shape& ohwi = site.input(1).shape;
  const Shape& y = site.node.outputs[0].shape;
  const auto axis = [&](std::size_t i) {
    return Axis{.inputs = x[i + 1],
                .outputs = y[i + 1],
                .kernel = ohwi[i + 1],
                .stride = conv.strides.at(i),
                .dilation = conv.dilations.at(i),
                .before = conv.pads.at(i)};
  };
  return {.batch = x[0],
          .channels = x[3],
          .filters = y[3],
          .rows = axis(0),
          .columns = axis(1),
          .input_stride = *pixel_stride(site.input(0), input),
          .output_stride = y[3],
          .residual_stride = y[3],
          .input_relu = conv.input_activation == ActivationKind::kRelu};
}

std::string name_of(const Convolution& conv) {
  return conv.pointwise() ? "direct:gemm" : "direct:window";
}

Tactic make_tactic(const OpSite& site,
                   const Conv2d& conv,
                   const Convolution& described,
                   const Schedule& schedule) {
  Tactic tactic;
  tactic.name = name_of(described);
  tactic.inputs.assign(site.node.inputs.size(), Layout{});
  tactic.inputs[0] = channels_last(site.input(0), site.inputs[0]);
  tactic.outputs.resize(1);
  tactic.writes_slices = true;
  tactic.workspace_bytes = direct::scratch_bytes(described, schedule);
  const std::size_t residual = conv.residual ? site.node.inputs.size() - 1 : 0;
  if (conv.residual) {
    tactic.inputs[residual] = channels_last(site.input(residual), site.inputs[residual]);
    tactic.aliases = {{.input = residual, .output = 0}};
  }
  tactic.build = [=](const BuildArgs& args) {
    Convolution shape = described;
    const TensorDesc& output = site.node.outputs[0];
    shape.output_stride = *pixel_stride(output, args.outputs[0]);
    if (residual != 0) shape.residual_stride = *pixel_stride(output, args.inputs[residual]);
    const auto pack = [&](const StoredWeights& stored, std::span<float> packed) {
      direct::pack_weights(shape, stored, packed);
    };
    return make_host_step(
        [shape,
         schedule,
         residual,
         range = *bounds_of(conv.activation),
         weights =
             pack_constant(args.weights, site, "direct 32", direct::weight_floats(shape), pack),
         bias =
             padded_bias(args.weights, site, conv.bias, ceil_div(shape.filters, kLanes) * kLanes)](
            const StepArgs& step) {
          direct::run(
              shape,
              schedule,
              {.x = floats(step.inputs[0]),
               .w = floats(weights.get()),
               .y = floats(step.outputs[0]),
               .scratch = floats(step.workspace),
               .epilogue = {.bias = floats(bias.get()),
                            .residual = residual == 0 ? nullptr : floats(step.inputs[residual]),
                            .low = range.first,
                            .high = range.second}});
        });
  };
  return tactic;
}

}  // namespace

std::vector<Tactic> direct_tactics(const OpSite& site) {
  const auto& conv = *site.node.as<Conv2d>();
  if (!has_avx512() || !applies(site, conv)) return {};
  const Convolution shape = describe(site, conv, channels_last(site.input(0), site.inputs[0]));
  return {make_tactic(site, conv, shape, direct::make_schedule(shape, site.threads))};
}

}  // namespace fovea::cpu
