// A convolution of our own as a tactic, whatever its algorithm.
#pragma once

#include <string>
#include <utility>

#include "engine/backend/cpu/conv_operands.h"
#include "engine/backend/cpu/epilogue.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/lanes.h"

namespace fovea::cpu {

/// What a run of a convolution is given, on one group's channels; Element is that of its pictures.
template <typename Element>
struct ConvolutionOperandsOf {
  const Element* x = nullptr;
  const float* w = nullptr;      ///< as pack_weights() makes them
  Element* y = nullptr;          ///< may be the residual
  float* scratch = nullptr;      ///< scratch_bytes(), aligned to 64
  EpilogueOf<Element> epilogue;  ///< of the first pixel and filter; padded by kEpiloguePadding
};

using ConvolutionOperands = ConvolutionOperandsOf<float>;

/// Kernels load biases and bounds a whole panel at a time.
inline constexpr std::int64_t kEpiloguePadding = 2 * kLanes;

/// Whether the groups of a convolution have channels and filters enough for registers of them.
[[nodiscard]] inline bool fills_registers(const OpSite& site, const Conv2d& conv) {
  const Shape& ohwi = site.input(1).shape;
  return conv.groups == 1 || (ohwi[3] >= kLanes && ohwi[0] / conv.groups >= kLanes);
}

/// The tactic that reads and writes dense pictures and slices of them, group by group.
///
/// form       names the form of the packed weights
/// described  one group; the strides of its output and residual are set when the step is built
///
/// Convolution's namespace has scratch_bytes(), pack_weights() and run() on Element.
template <typename Element = float, typename Convolution, typename Schedule>
[[nodiscard]] Tactic convolution_tactic(const OpSite& site,
                                        const Conv2d& conv,
                                        std::string name,
                                        const std::string& form,
                                        const Convolution& described,
                                        const Schedule& schedule) {
  Tactic tactic;
  tactic.name = std::move(name);
  tactic.inputs.assign(site.node.inputs.size(), Layout{});
  tactic.inputs[0] = channels_last(site.input(0), site.inputs[0]);
  tactic.outputs.resize(1);
  tactic.writes_slices = true;
  tactic.workspace_bytes = scratch_bytes(described, schedule);
  const std::size_t residual = conv.residual ? site.node.inputs.size() - 1 : 0;
  if (conv.residual) {
    tactic.inputs[residual] = channels_last(site.input(residual), site.inputs[residual]);
    tactic.aliases = {{.input = residual, .output = 0}};
  }
  tactic.build = [=](const BuildArgs& args) {
    Convolution shape = described;
    const TensorDesc& output = site.node.outputs[0];
    shape.output_stride = pixel_stride_of(output, args.outputs[0]);
    if (residual != 0) shape.residual_stride = pixel_stride_of(output, args.inputs[residual]);
    const auto pack = [&](const StoredWeights& stored, std::span<float> packed) {
      pack_weights(shape, stored, packed);
    };
    const auto weights =
        pack_constant(args.weights, site, form, conv.groups, shape.weight_floats(), pack);
    const std::int64_t filters = output.shape.back();
    const auto bias = padded_bias(args.weights, site, conv.bias, filters + kEpiloguePadding);
    const auto bounds = filter_bounds(conv, filters, filters + kEpiloguePadding);
    return make_host_step([shape, schedule, residual, groups = conv.groups, weights, bias, bounds](
                              const StepArgs& step) {
      const auto* x = reinterpret_cast<const Element*>(step.inputs[0]);
      auto* y = reinterpret_cast<Element*>(step.outputs[0]);
      const auto* sum =
          residual == 0 ? nullptr : reinterpret_cast<const Element*>(step.inputs[residual]);
      for (std::int64_t group = 0; group < groups; ++group) {
        const std::int64_t first = group * shape.filters;
        run(shape,
            schedule,
            ConvolutionOperandsOf<Element>{
                .x = x + group * shape.channels,
                .w = floats(weights.get()) + group * shape.weight_floats(),
                .y = y + first,
                .scratch = floats(step.workspace),
                .epilogue = {.bias = floats(bias.get()) + first,
                             .low = bounds.low.data() + first,
                             .high = bounds.high.data() + first,
                             .residual = sum == nullptr ? nullptr : sum + first}});
      }
    });
  };
  return tactic;
}

}  // namespace fovea::cpu
