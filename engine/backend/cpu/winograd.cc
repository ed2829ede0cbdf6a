#include "engine/backend/cpu/winograd.h"

#include <array>
#include <span>

#include "engine/backend/cpu/avx512.h"
#include "engine/backend/cpu/conv_operands.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/winograd_run.h"
#include "engine/backend/cpu/winograd_weights.h"

namespace fovea::cpu {

namespace {

using winograd::Convolution;

/// Whether the tactic computes this convolution at all.
bool applies(const OpSite& site, const Conv2d& conv) {
  const Shape& ohwi = site.input(1).shape;
  if (ohwi[1] != 3 || ohwi[2] != 3 || conv.groups != 1) return false;
  if (conv.strides != std::array<std::int64_t, 2>{1, 1}) return false;
  if (conv.dilations != std::array<std::int64_t, 2>{1, 1}) return false;
  return conv.input_activation == ActivationKind::kNone && bounds_of(conv.activation);
}

/// Whether it is taken for the faster way; docs/measurements/2026-11-25-winograd.md has what whole
/// networks gain by this rule. With fewer than a register of channels most of a product would be
/// padding; where little of a tile lies inside of the picture, it saves too few multiplications for
/// the larger weights.
bool pays(const Convolution& conv) {
  constexpr std::int64_t kLeastSaving = 2;
  const std::int64_t direct = conv.rows * conv.columns * 9;
  const std::int64_t tiled = conv.picture_tiles() * winograd::kElements;
  return conv.channels >= kLanes && conv.filters >= kLanes && direct >= kLeastSaving * tiled;
}

/// The sizes, with strides of dense outputs.
Convolution describe(const OpSite& site, const Conv2d& conv, const Layout& layout) {
  const Shape& input = site.input(0).shape;
  const Shape& output = site.node.outputs[0].shape;
  return {.batch = input[0],
          .height = input[1],
          .width = input[2],
          .channels = input[3],
          .filters = output[3],
          .rows = output[1],
          .columns = output[2],
          .top = conv.pads[0],
          .left = conv.pads[1],
          .input_stride = *pixel_stride(site.input(0), layout),
          .output_stride = output[3],
          .residual_stride = output[3]};
}

}  // namespace

std::optional<Tactic> winograd_tactic(const OpSite& site) {
  const auto& conv = *site.node.as<Conv2d>();
  if (site.exact_convolutions || !has_avx512() || !applies(site, conv)) return {};
  const Layout input = channels_last(site.input(0), site.inputs[0]);
  const Convolution described = describe(site, conv, input);
  if (!pays(described)) return {};
  const winograd::Schedule schedule = winograd::make_schedule(described, site.threads);

  Tactic tactic;
  tactic.name = "winograd:4x4";
  tactic.inputs.assign(site.node.inputs.size(), Layout{});
  tactic.inputs[0] = input;
  tactic.outputs.resize(1);
  tactic.writes_slices = true;
  tactic.workspace_bytes = winograd::scratch_bytes(described, schedule);
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
      winograd::pack_weights(shape, stored, packed);
    };
    return make_host_step(
        [shape,
         schedule,
         residual,
         range = *bounds_of(conv.activation),
         weights = pack_constant(args.weights, site, "winograd 4x4", shape.weight_floats(), pack),
         bias = padded_bias(args.weights, site, conv.bias, shape.output_blocks() * kLanes)](
            const StepArgs& step) {
          winograd::run(
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

}  // namespace fovea::cpu
