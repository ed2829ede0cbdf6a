// Depthwise convolutions by our own kernel.
#include "kernels/depthwise.h"

#include <algorithm>
#include <utility>

#include "engine/backend/cuda/convolution_tactic.h"
#include "engine/backend/cuda/expected_time.h"
#include "engine/backend/cuda/lowerings.h"
#include "engine/backend/cuda/packed_constant.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

/// Copies [O][R][S] to [R][S][O].
void transpose_taps(const std::byte* from,
                    std::int64_t outputs,
                    std::size_t element,
                    std::byte* to,
                    std::int64_t taps) {
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    for (std::int64_t o = 0; o < outputs; ++o) {
      const std::byte* source = from + static_cast<std::size_t>(o * taps + tap) * element;
      to = std::copy_n(source, element, to);
    }
  }
}

/// Whether the kernel counts rows and columns of the padded picture, and elements of y, in an int.
bool fits(const Conv2d& conv, const OpSite& site) {
  const TensorDesc& x = site.input(0);
  const TensorDesc& y = site.node.outputs[0];
  const auto extent = [&](std::size_t side) {
    return y.shape[side + 1] * conv.strides.at(side) +
           site.input(1).shape[side + 1] * conv.dilations.at(side);
  };
  return fits_int(x) && fits_int({y.dtype, {num_elements(y.shape), extent(0), extent(1)}});
}

}  // namespace

std::shared_ptr<const std::byte> pack_taps(const Constant& weights,
                                           DType type,
                                           WeightStore& store) {
  const Shape& shape = weights.desc.shape;
  const TensorDesc desc{type, shape};
  const std::string key = cat(weights.key(), " depthwise ", rows_of(weights, type));
  return store.get(key, byte_size(desc), [&](std::span<std::byte> packed) {
    const std::vector<std::byte> elements = weights_as(weights, type);
    transpose_taps(
        elements.data(), shape[0], element_size(type), packed.data(), shape[1] * shape[2]);
  });
}

bool takes_depthwise(const OpSite& site) {
  const auto& conv = *site.node.as<Conv2d>();
  const bool applies = conv.groups > 1 && conv.groups == site.input(0).shape[3];
  return applies && has_readable_parameters(site) && fits(conv, site);
}

std::vector<Tactic> lower_depthwise(const OpSite& site, int capability) {
  if (!takes_depthwise(site)) return {};

  const Shape& x = site.input(0).shape;
  auto described = described_convolution<kernels::DepthwiseArgs>(site);
  described.multiplier = static_cast<int>(site.node.outputs[0].shape[3] / x[3]);
  Tactic tactic =
      convolution_tactic(site, "depthwise:runs", described, pack_taps, kernels::depthwise);
  tactic.expected_us = convolution_us(site, capability, Pace::kBest, /*tensor_cores=*/false);
  return {std::move(tactic)};
}

}  // namespace fovea::cuda
