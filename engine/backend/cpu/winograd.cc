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
#include "engine/backend/cpu/winograd_strided.h"
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

/// Whether the tactics compute this convolution at all, if they do its kernel and strides.
bool applies(const OpSite& site, const Conv2d& conv) {
  const Shape& ohwi = site.input(1).shape;
  return reads_types(site, conv) && ohwi[1] == ohwi[2] && conv.strides[0] == conv.strides[1] &&
         conv.dilations == std::array<std::int64_t, 2>{1, 1} &&
         conv.input_activation == ActivationKind::kNone && bounds_of(conv.activation);
}

/// Whether it is taken for the faster way; docs/measurements/2026-11-25-winograd.md has what whole
/// networks gain by this rule. Where little of a tile lies inside of the picture, it saves too few
/// multiplications for the larger weights.
///
/// products  of the definition, for one output of one filter
/// channels  that Winograd's products have
bool pays(const Convolution& conv, std::int64_t products, std::int64_t channels, double least) {
  const auto direct = static_cast<double>(conv.rows * conv.columns * products);
  const auto tiled = static_cast<double>(conv.picture_tiles() * winograd::kElements * channels);
  return conv.filters >= kLanes && direct >= least * tiled;
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

/// A tactic for every way to share the work.
///
/// form  names it: "4x4" outputs of a tile
template <typename Element, typename Shape>
std::vector<Tactic> tactics_of(const OpSite& site,
                               const Conv2d& conv,
                               const Shape& shape,
                               const std::string& form) {
  std::vector<Tactic> tactics;
  for (const winograd::Schedule& schedule : winograd::make_schedules(shape, site.threads)) {
    const std::string name = with_split(cat("winograd:", form), schedule, site.threads);
    tactics.push_back(
        convolution_tactic<Element>(site, conv, name, cat("winograd ", form), shape, schedule));
  }
  return tactics;
}

/// "4x4".
std::string tile_name(const Convolution& conv) {
  return cat(conv.tile_outputs(), 'x', conv.tile_outputs());
}

std::vector<Tactic> unit_stride_tactics(const OpSite& site, const Conv2d& conv) {
  const std::int64_t taps = site.input(1).shape[1];
  if ((taps != 3 && taps != 5) || !fills_registers(site, conv)) return {};
  const Convolution shape = describe(site, conv, channels_last(site.input(0), site.inputs[0]));
  const DType type = site.input(0).dtype;
  // With fewer than a register of channels most of a product would be padding.
  if (shape.channels < kLanes ||
      !pays(shape, taps * taps * shape.channels, shape.channels, least_saving(type))) {
    return {};
  }
  return type == DType::kBFloat16 ? tactics_of<Bf16>(site, conv, shape, tile_name(shape))
                                  : tactics_of<float>(site, conv, shape, tile_name(shape));
}

/// Winograd's algorithm on the phases of dense pictures; of few channels they make many.
std::vector<Tactic> strided_tactics(const OpSite& site, const Conv2d& conv) {
  const Shape& x = site.input(0).shape;
  const Shape& y = site.node.outputs[0].shape;
  if (site.input(0).dtype != DType::kFloat32 || conv.groups != 1) return {};
  const winograd::StridedInput input{.pictures = x[0],
                                     .height = x[1],
                                     .width = x[2],
                                     .channels = x[3],
                                     .kernel = site.input(1).shape[1],
                                     .stride = conv.strides[0],
                                     .top = conv.pads[0],
                                     .left = conv.pads[1]};
  const winograd::StridedConvolution shape(input, y[3], y[1], y[2]);
  if (shape.taps < 3 || shape.taps > 5) return {};
  const std::int64_t products = input.kernel * input.kernel * input.channels;
  if (!pays(shape, products, shape.input_blocks() * kLanes, least_saving(DType::kFloat32))) {
    return {};
  }
  OpSite dense = site;
  dense.inputs[0] = Layout{};
  return tactics_of<float>(dense, conv, shape, cat(tile_name(shape), "s", input.stride));
}

}  // namespace

std::vector<Tactic> winograd_tactics(const OpSite& site) {
  const auto& conv = *site.node.as<Conv2d>();
  if (site.exact_convolutions || !has_avx512() || !applies(site, conv)) return {};
  return conv.strides[0] == 1 ? unit_stride_tactics(site, conv) : strided_tactics(site, conv);
}

}  // namespace fovea::cpu
