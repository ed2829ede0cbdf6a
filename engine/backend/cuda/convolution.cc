// Convolutions by our own kernels: behind those of a library, and alone where it has none.
#include "kernels/convolution.h"

#include <algorithm>
#include <utility>

#include "engine/backend/cuda/elementwise.h"
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "engine/backend/cuda/packed_constant.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

using kernels::ConvolutionArgs;
using kernels::ConvolutionTile;

/// Whether everything that the kernels count is an int.
bool fits(const OpSite& site, const Conv2d& conv) {
  const auto all_fit = [](std::int64_t value) { return fits_int({DType::kFloat32, {value}}); };
  return fits_int(site.input(0)) && fits_int(site.input(1)) && fits_int(site.node.outputs[0]) &&
         std::ranges::all_of(conv.strides, all_fit) &&
         std::ranges::all_of(conv.dilations, all_fit) && std::ranges::all_of(conv.pads, all_fit);
}

/// Everything but addresses and strides.
ConvolutionArgs describe(const OpSite& site, const Conv2d& conv) {
  const Shape& x = site.input(0).shape;
  const Shape& weights = site.input(1).shape;
  const Shape& y = site.node.outputs[0].shape;
  const auto size = [](std::int64_t dim) { return static_cast<int>(dim); };
  return {.type = element_type(site.input(0).dtype),
          .n = size(x[0]),
          .h = size(x[1]),
          .w = size(x[2]),
          .c = size(x[3]),
          .out_h = size(y[1]),
          .out_w = size(y[2]),
          .filters = size(y[3]),
          .kernel_h = size(weights[1]),
          .kernel_w = size(weights[2]),
          .stride_h = size(conv.strides[0]),
          .stride_w = size(conv.strides[1]),
          .dilation_h = size(conv.dilations[0]),
          .dilation_w = size(conv.dilations[1]),
          .pad_top = size(conv.pads[0]),
          .pad_left = size(conv.pads[1]),
          .groups = size(conv.groups),
          .activation = kernel_activation(conv.activation),
          .activation_channels = size(conv.activation_channels),
          .input_relu = conv.input_activation == ActivationKind::kRelu};
}

/// One row of packed_depth() elements per filter.
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
      cat(weights.key(), ' ', to_string(weights.desc.dtype), " rows of ", to_string(type));
  return store.get(key, filters * packed_row, [&](std::span<std::byte> packed) {
    const std::vector<std::byte> elements = elements_as(weights, type);
    for (std::size_t o = 0; o < filters; ++o) {
      std::copy_n(elements.data() + o * row, row, packed.data() + o * packed_row);
    }
  });
}

Tactic tactic_of(const OpSite& site, const ConvolutionArgs& described, ConvolutionTile tile) {
  const auto& conv = *site.node.as<Conv2d>();
  const TensorDesc& x = site.input(0);
  const std::size_t residual = conv.residual ? site.node.inputs.size() - 1 : 0;
  const auto make = [described,
                     tile,
                     residual,
                     x,
                     y = site.node.outputs[0],
                     bias = conv.bias,
                     weights = *site.constant(1)](const BuildArgs& args) -> Launch {
    ConvolutionArgs fixed = described;
    fixed.x_stride = pixel_stride(x, args.inputs[0]);
    if (residual != 0) fixed.residual_stride = pixel_stride(y, args.inputs[residual]);
    fixed.y_stride = pixel_stride(y, args.outputs[0]);
    return [fixed, tile, residual, bias, filters = pack_filters(weights, x.dtype, args.weights)](
               const Operands& operands, cudaStream_t stream) {
      ConvolutionArgs convolution = fixed;
      convolution.x = operands.inputs[0];
      convolution.weights = filters.get();
      convolution.bias = bias ? operands.input(2) : nullptr;
      convolution.residual = residual != 0 ? operands.inputs[residual] : nullptr;
      convolution.y = operands.outputs[0];
      return kernels::convolution(convolution, tile, stream);
    };
  };
  ReadTypes types{x.dtype, std::nullopt};
  if (conv.bias) types.emplace_back(DType::kFloat32);
  if (conv.residual) types.emplace_back(x.dtype);
  Tactic tactic = kernel_tactic(site, cat("conv:", kernels::name_of(tile)), std::move(types), make);
  tactic.inputs[0] = strided_or_dense(site.inputs[0]);
  if (residual != 0) {
    tactic.inputs[residual] = strided_or_dense(site.inputs[residual]);
    // Every element of the residual is read by the thread that writes the output in its place. The
    // compiler gives aliases to dense tensors alone, which have equal strides.
    tactic.aliases = {{.input = residual, .output = 0}};
  }
  tactic.writes_slices = true;
  return tactic;
}

}  // namespace

std::vector<Tactic> lower_convolution(const OpSite& site, int capability) {
  const auto& conv = *site.node.as<Conv2d>();
  if (site.constant(1) == nullptr || !fits(site, conv) ||
      (conv.bias && !can_be_read_as(site, 2, DType::kFloat32))) {
    return {};
  }

  const ConvolutionArgs described = describe(site, conv);
  const bool keeps_float32 = described.type == kernels::ElementType::kFloat32 && !site.tf32;
  std::vector<Tactic> tactics;
  for (const ConvolutionTile tile : kernels::convolution_tiles(described)) {
    const bool mma = kernels::uses_tensor_cores(tile);
    if (mma && (keeps_float32 || capability < kAmpere)) continue;
    tactics.push_back(tactic_of(site, described, tile));
  }
  return tactics;
}

}  // namespace fovea::cuda
