// What the tactics of our own convolution kernels have in common.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/backend/cuda/elementwise.h"
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/weight_store.h"

namespace fovea::cuda {

/// Whether weights and bias are as the kernels read them, or can be packed so.
[[nodiscard]] inline bool has_readable_parameters(const OpSite& site) {
  return site.constant(1) != nullptr &&
         (!site.node.as<Conv2d>()->bias || can_be_read_as(site, 2, DType::kFloat32));
}

/// Whether everything that the kernels count is an int.
[[nodiscard]] bool kernels_count(const OpSite& site);

/// Whether products may be those of tensor cores, which round float32 values, and the device has
/// them for every type. Of a site of any convolution.
[[nodiscard]] bool multiplies_by_tensor_cores(const OpSite& site, int capability);

/// The weights [O,R,S,1] as kernels::depthwise() reads them: [R][S][O] of that type.
[[nodiscard]] std::shared_ptr<const std::byte> pack_taps(const Constant& weights,
                                                         DType type,
                                                         WeightStore& store);

/// The weights [O,R,S,I] as kernels::convolution() reads them: one row of packed_depth() elements
/// per filter.
[[nodiscard]] std::shared_ptr<const std::byte> pack_filters(const Constant& weights,
                                                            DType type,
                                                            WeightStore& store);

/// The members that the kernels' arguments have in common, but for addresses and strides; sizes
/// fit int.
template <typename Args>
[[nodiscard]] Args described_convolution(const OpSite& site) {
  const auto& conv = *site.node.as<Conv2d>();
  const Shape& x = site.input(0).shape;
  const Shape& weights = site.input(1).shape;
  const Shape& y = site.node.outputs[0].shape;
  const auto size = [](std::int64_t dim) { return static_cast<int>(dim); };
  Args args;
  args.type = element_type(site.input(0).dtype);
  args.n = size(x[0]);
  args.h = size(x[1]);
  args.w = size(x[2]);
  args.c = size(x[3]);
  args.out_h = size(y[1]);
  args.out_w = size(y[2]);
  args.kernel_h = size(weights[1]);
  args.kernel_w = size(weights[2]);
  args.stride_h = size(conv.strides[0]);
  args.stride_w = size(conv.strides[1]);
  args.dilation_h = size(conv.dilations[0]);
  args.dilation_w = size(conv.dilations[1]);
  args.pad_top = size(conv.pads[0]);
  args.pad_left = size(conv.pads[1]);
  args.input_relu = conv.input_activation == ActivationKind::kRelu;
  args.activation = kernel_activation(conv.activation);
  args.activation_channels = size(conv.activation_channels);
  return args;
}

/// Makes the tactic read and write slices. `residual` is the place of that input, 0 for none.
inline void move_in_slices(Tactic& tactic, const OpSite& site, std::size_t residual) {
  tactic.inputs[0] = strided_or_dense(site.inputs[0]);
  if (residual != 0 && site.constant(residual) == nullptr) {
    tactic.inputs[residual] = strided_or_dense(site.inputs[residual]);
    // Every element of the residual is read by the thread that writes the output in its place. The
    // compiler gives aliases to dense tensors alone, which have equal strides.
    tactic.aliases = {{.input = residual, .output = 0}};
  }
  tactic.writes_slices = true;
}

/// A tactic that reads and writes slices.
///
/// described   everything but addresses and strides
/// pack        the weights on the device: pack(constant, type of the activations, store)
/// launch      the kernel: launch(args, stream)
template <typename Args, typename Pack, typename LaunchKernel>
[[nodiscard]] Tactic convolution_tactic(
    const OpSite& site, std::string name, const Args& described, Pack pack, LaunchKernel launch) {
  const auto& conv = *site.node.as<Conv2d>();
  const DType type = site.input(0).dtype;
  const std::size_t residual = conv.residual ? site.node.inputs.size() - 1 : 0;
  const auto make = [=,
                     x = site.input(0),
                     y = site.node.outputs[0],
                     bias = conv.bias,
                     weights = *site.constant(1)](const BuildArgs& args) -> Launch {
    Args fixed = described;
    fixed.x_stride = pixel_stride(x, args.inputs[0]);
    if (residual != 0) fixed.residual_stride = pixel_stride(y, args.inputs[residual]);
    fixed.y_stride = pixel_stride(y, args.outputs[0]);
    const std::shared_ptr<const std::byte> packed = pack(weights, type, args.weights);
    return [=](const Operands& operands, cudaStream_t stream) {
      Args placed = fixed;
      placed.x = operands.inputs[0];
      placed.weights = packed.get();
      placed.bias = bias ? operands.input(2) : nullptr;
      placed.residual = residual != 0 ? operands.inputs[residual] : nullptr;
      placed.y = operands.outputs[0];
      return launch(placed, stream);
    };
  };
  ReadTypes types{type, std::nullopt};
  if (conv.bias) types.emplace_back(DType::kFloat32);
  if (conv.residual) types.emplace_back(type);
  Tactic tactic = kernel_tactic(site, std::move(name), std::move(types), make);
  move_in_slices(tactic, site, residual);
  return tactic;
}

}  // namespace fovea::cuda
