// Convolutions by our own kernels: behind those of a library, and alone where it has none.
#include "kernels/convolution.h"

#include <algorithm>

#include "engine/backend/cuda/convolution_tactic.h"
#include "engine/backend/cuda/expected_time.h"
#include "engine/backend/cuda/lowerings.h"
#include "engine/backend/cuda/packed_constant.h"
#include "engine/core/require.h"

namespace fovea::cuda {

using kernels::ConvolutionArgs;
using kernels::ConvolutionTile;

bool kernels_count(const OpSite& site) {
  const auto& conv = *site.node.as<Conv2d>();
  const auto all_fit = [](std::int64_t value) { return fits_int({DType::kFloat32, {value}}); };
  return fits_int(site.input(0)) && fits_int(site.input(1)) && fits_int(site.node.outputs[0]) &&
         std::ranges::all_of(conv.strides, all_fit) &&
         std::ranges::all_of(conv.dilations, all_fit) && std::ranges::all_of(conv.pads, all_fit);
}

bool multiplies_by_tensor_cores(const OpSite& site, int capability) {
  const bool keeps_float32 = site.input(0).dtype == DType::kFloat32 && !site.tf32;
  return !keeps_float32 && capability >= kAmpere;
}

std::shared_ptr<const std::byte> pack_filters(const Constant& weights,
                                              DType type,
                                              WeightStore& store) {
  const auto filters = static_cast<std::size_t>(weights.desc.shape[0]);
  const std::int64_t depth = num_elements(weights.desc.shape) / weights.desc.shape[0];
  const std::size_t row = static_cast<std::size_t>(depth) * element_size(type);
  const std::size_t packed_row =
      static_cast<std::size_t>(kernels::packed_depth(depth, element_type(type))) *
      element_size(type);
  const std::string key =
      cat(weights.key(), ' ', to_string(weights.desc.dtype), ' ', rows_of(weights, type));
  return store.get(key, filters * packed_row, [&](std::span<std::byte> packed) {
    const std::vector<std::byte> elements = weights_as(weights, type);
    for (std::size_t o = 0; o < filters; ++o) {
      std::copy_n(elements.data() + o * row, row, packed.data() + o * packed_row);
    }
  });
}

std::vector<Tactic> lower_convolution(const OpSite& site, int capability) {
  const auto& conv = *site.node.as<Conv2d>();
  if (!has_readable_parameters(site) || !kernels_count(site)) return {};

  auto described = described_convolution<ConvolutionArgs>(site);
  described.filters = static_cast<int>(site.node.outputs[0].shape[3]);
  described.groups = static_cast<int>(conv.groups);
  const bool may_use_tensor_cores = multiplies_by_tensor_cores(site, capability);
  std::vector<Tactic> tactics;
  for (const ConvolutionTile tile : kernels::convolution_tiles(described)) {
    const bool tensor_cores = kernels::uses_tensor_cores(tile);
    if (tensor_cores && !may_use_tensor_cores) continue;
    const auto launch = [tile](const ConvolutionArgs& args, cudaStream_t stream) {
      return kernels::convolution(args, tile, stream);
    };
    tactics.push_back(convolution_tactic(
        site, cat("conv:", kernels::name_of(tile)), described, pack_filters, launch));
    tactics.back().expected_us = convolution_us(site, capability, Pace::kPlain, tensor_cores);
  }
  return tactics;
}

}  // namespace fovea::cuda
