// Depthwise convolutions by our own kernel.
#include "kernels/depthwise.h"

#include <algorithm>

#include "engine/backend/cuda/elementwise.h"
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "engine/backend/cuda/packed_constant.h"
#include "engine/backend/weight_store.h"
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

/// The weights [O,R,S,1] as the kernel reads them: [R][S][O] of the activations' type.
std::shared_ptr<const std::byte> pack_weights(const Constant& weights,
                                              DType type,
                                              WeightStore& store) {
  const Shape& shape = weights.desc.shape;
  const TensorDesc desc{type, shape};
  const std::string key = cat(weights.key(), " depthwise ", to_string(type));
  return store.get(key, byte_size(desc), [&](std::span<std::byte> packed) {
    const std::vector<std::byte> elements = elements_as(weights, type);
    transpose_taps(
        elements.data(), shape[0], element_size(type), packed.data(), shape[1] * shape[2]);
  });
}

/// Everything but addresses, strides and type.
kernels::DepthwiseArgs describe(const Conv2d& conv, const OpSite& site) {
  const Shape& x = site.input(0).shape;
  const Shape& weights = site.input(1).shape;
  const Shape& y = site.node.outputs[0].shape;
  const auto size = [](std::int64_t dim) { return static_cast<int>(dim); };
  return {.n = size(x[0]),
          .h = size(x[1]),
          .w = size(x[2]),
          .c = size(x[3]),
          .multiplier = size(y[3] / x[3]),
          .out_h = size(y[1]),
          .out_w = size(y[2]),
          .kernel_h = size(weights[1]),
          .kernel_w = size(weights[2]),
          .stride_h = size(conv.strides[0]),
          .stride_w = size(conv.strides[1]),
          .dilation_h = size(conv.dilations[0]),
          .dilation_w = size(conv.dilations[1]),
          .pad_top = size(conv.pads[0]),
          .pad_left = size(conv.pads[1]),
          .input_relu = conv.input_activation == ActivationKind::kRelu,
          .activation = kernel_activation(conv.activation),
          .activation_channels = size(conv.activation_channels)};
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

std::vector<Tactic> lower_depthwise(const OpSite& site) {
  const auto& conv = *site.node.as<Conv2d>();
  const TensorDesc& x = site.input(0);
  const TensorDesc& y = site.node.outputs[0];
  const bool applies = conv.groups > 1 && conv.groups == x.shape[3] &&
                       site.constant(1) != nullptr &&
                       (!conv.bias || can_be_read_as(site, 2, DType::kFloat32));
  if (!applies || !fits(conv, site)) return {};

  const std::size_t residual = site.node.inputs.size() - 1;
  const auto make = [=, weights = *site.constant(1), described = describe(conv, site)](
                        const BuildArgs& args) -> Launch {
    kernels::DepthwiseArgs fixed = described;
    fixed.type = element_type(x.dtype);
    fixed.x_stride = pixel_stride(x, args.inputs[0]);
    if (conv.residual) fixed.residual_stride = pixel_stride(y, args.inputs[residual]);
    fixed.y_stride = pixel_stride(y, args.outputs[0]);
    return [=,
            packed = pack_weights(weights, x.dtype, args.weights),
            bias = conv.bias,
            adds = conv.residual](const Operands& operands, cudaStream_t stream) {
      kernels::DepthwiseArgs depthwise = fixed;
      depthwise.x = operands.inputs[0];
      depthwise.weights = packed.get();
      depthwise.bias = bias ? operands.input(2) : nullptr;
      depthwise.residual = adds ? operands.inputs[residual] : nullptr;
      depthwise.y = operands.outputs[0];
      return kernels::depthwise(depthwise, stream);
    };
  };
  ReadTypes types{x.dtype, std::nullopt};
  if (conv.bias) types.emplace_back(DType::kFloat32);
  if (conv.residual) types.emplace_back(x.dtype);
  Tactic tactic = kernel_tactic(site, "depthwise:runs", std::move(types), make);
  tactic.inputs[0] = strided_or_dense(site.inputs[0]);
  if (conv.residual && site.constant(residual) == nullptr) {
    tactic.inputs[residual] = strided_or_dense(site.inputs[residual]);
    tactic.aliases = {{.input = residual, .output = 0}};
  }
  tactic.writes_slices = true;
  return {tactic};
}

}  // namespace fovea::cuda
