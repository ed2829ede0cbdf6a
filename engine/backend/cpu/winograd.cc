#include "engine/backend/cpu/winograd.h"

#include <array>
#include <limits>
#include <string>

#include "engine/backend/cpu/bf16.h"
#include "engine/backend/cpu/lanes.h"
#include "engine/backend/cpu/library.h"
#include "engine/backend/cpu/own_convolution.h"
#include "engine/backend/cpu/splits.h"
#include "engine/backend/cpu/winograd_run.h"
#include "engine/backend/cpu/winograd_weights.h"

namespace fovea::cpu {

namespace {

using winograd::Convolution;

/// Whether tensors and parameters are of types that the tactic reads.
bool reads_types(const OpSite& site, const Conv2d& conv) {
  const DType type = site.input(0).dtype;
  return (type == DType::kFloat32 || type == DType::kBFloat16) &&
         site.input(1).dtype == DType::kFloat32 &&
         (!conv.bias || site.input(2).dtype == DType::kFloat32);
}

/// Whether the tactic computes this convolution at all.
bool applies(const OpSite& site, const Conv2d& conv) {
  if (!reads_types(site, conv)) return false;
  const Shape& ohwi = site.input(1).shape;
  if (ohwi[1] != ohwi[2] || (ohwi[1] != 3 && ohwi[1] != 5)) return false;
  if (!fills_registers(site, conv)) return false;
  if (conv.strides != std::array<std::int64_t, 2>{1, 1}) return false;
  if (conv.dilations != std::array<std::int64_t, 2>{1, 1}) return false;
  return conv.input_activation == ActivationKind::kNone && bounds_of(conv.activation);
}

/// Whether it is taken for the faster way; docs/measurements/2026-11-25-winograd.md has what whole
/// networks gain by this rule. With fewer than a register of channels most of a product would be
/// padding; where little of a tile lies inside of the picture, it saves too few multiplications for
/// the larger weights.
bool pays(const Convolution& conv, double least_saving) {
  const auto direct = static_cast<double>(conv.rows * conv.columns * conv.taps * conv.taps);
  const auto tiled = static_cast<double>(conv.picture_tiles() * winograd::kElements);
  return conv.channels >= kLanes && conv.filters >= kLanes && direct >= least_saving * tiled;
}

/// How many times fewer multiplications are worth it, against what else computes in the type
/// (docs/measurements/2026-11-26-cpu-dense-bf16.md); a number that no convolution reaches where
/// nothing is.
double least_saving(DType type) {
  constexpr double kFloat32 = 2.0;
  constexpr double kBFloat16 = 3.5;
  if (type == DType::kFloat32) return kFloat32;
  switch (bf16_support()) {
    case Bf16Support::kNone:
    case Bf16Support::kEmulated:
      return kFloat32;
    case Bf16Support::kNative:
      return kBFloat16;
    case Bf16Support::kTiles:
      return std::numeric_limits<double>::infinity();
  }
  return kFloat32;
}

/// The sizes, with strides of dense outputs.
Convolution describe(const OpSite& site, const Conv2d& conv, const Layout& layout) {
  const Shape& input = site.input(0).shape;
  const Shape& output = site.node.outputs[0].shape;
  return {.taps = site.input(1).shape[1],
          .batch = input[0],
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
  const DType type = site.input(0).dtype;
  if (!pays(shape, least_saving(type))) return {};
  const std::string tile = cat(shape.tile_outputs(), 'x', shape.tile_outputs());
  const std::string form = cat("winograd ", tile);
  std::vector<Tactic> tactics;
  for (const winograd::Schedule& schedule : winograd::make_schedules(shape, site.threads)) {
    const std::string name = with_split(cat("winograd:", tile), schedule, site.threads);
    tactics.push_back(type == DType::kBFloat16
                          ? convolution_tactic<Bf16>(site, conv, name, form, shape, schedule)
                          : convolution_tactic<float>(site, conv, name, form, shape, schedule));
  }
  return tactics;
}

}  // namespace fovea::cpu
