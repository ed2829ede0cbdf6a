#include "engine/backend/cpu/winograd.h"

#include <array>

#include "engine/backend/cpu/avx512.h"
#include "engine/backend/cpu/own_convolution.h"
#include "engine/backend/cpu/splits.h"
#include "engine/backend/cpu/winograd_run.h"
#include "engine/backend/cpu/winograd_weights.h"

namespace fovea::cpu {

namespace {

using winograd::Convolution;

/// Whether the tactic computes this convolution at all.
bool applies(const OpSite& site, const Conv2d& conv) {
  const Shape& ohwi = site.input(1).shape;
  if (ohwi[1] != 3 || ohwi[2] != 3 || !fills_registers(site, conv)) return false;
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
          .channels = input[3] / conv.groups,
          .filters = output[3] / conv.groups,
          .rows = output[1],
          .columns = output[2],
          .top = conv.pads[0],
          .left = conv.pads[1],
          .input_stride = pixel_stride_of(site.input(0), layout),
          .output_stride = output[3],
          .residual_stride = output[3]};
}

}  // namespace

std::vector<Tactic> winograd_tactics(const OpSite& site) {
  const auto& conv = *site.node.as<Conv2d>();
  if (site.exact_convolutions || !has_avx512() || !applies(site, conv)) return {};
  const Convolution shape = describe(site, conv, channels_last(site.input(0), site.inputs[0]));
  if (!pays(shape)) return {};
  std::vector<Tactic> tactics;
  for (const winograd::Schedule& schedule : winograd::make_schedules(shape, site.threads)) {
    tactics.push_back(convolution_tactic(site,
                                         conv,
                                         with_split("winograd:4x4", schedule, site.threads),
                                         "winograd 4x4",
                                         shape,
                                         schedule));
  }
  return tactics;
}

}  // namespace fovea::cpu
