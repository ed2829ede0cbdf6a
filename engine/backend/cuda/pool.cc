// Pooling windows and global pooling.
#include "kernels/pool.h"

#include "engine/backend/cuda/elementwise.h"
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "kernels/global_pool.h"

namespace fovea::cuda {

namespace {

/// Everything but addresses and strides. PoolOp is MaxPool or AveragePool.
template <typename PoolOp>
kernels::PoolArgs pool_args(const PoolOp& op, const TensorDesc& x, const TensorDesc& y) {
  const auto size = [](std::int64_t dim) { return static_cast<int>(dim); };
  return {.type = element_type(x.dtype),
          .n = size(x.shape[0]),
          .h = size(x.shape[1]),
          .w = size(x.shape[2]),
          .c = size(x.shape[3]),
          .out_h = size(y.shape[1]),
          .out_w = size(y.shape[2]),
          .kernel_h = size(op.kernel[0]),
          .kernel_w = size(op.kernel[1]),
          .stride_h = size(op.strides[0]),
          .stride_w = size(op.strides[1]),
          .pad_top = size(op.pads[0]),
          .pad_left = size(op.pads[1])};
}

}  // namespace

std::vector<Tactic> lower_pool(const OpSite& site) {
  const TensorDesc& x = site.input(0);
  const TensorDesc& y = site.node.outputs[0];
  if (!fits_int(x) || !elements_fit_int(y)) return {};
  const auto* max = site.node.as<MaxPool>();
  const auto* average = site.node.as<AveragePool>();
  const bool count_padding = average != nullptr && average->count_padding;
  kernels::PoolArgs pool = max != nullptr ? pool_args(*max, x, y) : pool_args(*average, x, y);
  if (average != nullptr) pool.activation = kernel_activation(average->activation);

  const auto make = [=, is_max = max != nullptr](const BuildArgs& args) -> Launch {
    kernels::PoolArgs fixed = pool;
    fixed.x_stride = pixel_stride(x, args.inputs[0]);
    fixed.y_stride = pixel_stride(y, args.outputs[0]);
    return [=](const Operands& operands, cudaStream_t stream) {
      kernels::PoolArgs placed = fixed;
      placed.x = operands.inputs[0];
      placed.y = operands.outputs[0];
      return is_max ? kernels::max_pool(placed, stream)
                    : kernels::average_pool(placed, count_padding, stream);
    };
  };
  Tactic tactic = kernel_tactic(site, "pool", make);
  tactic.inputs[0] = strided_or_dense(site.inputs[0]);
  tactic.writes_slices = true;
  return {tactic};
}

std::vector<Tactic> lower_global_pool(const OpSite& site) {
  const TensorDesc& x = site.input(0);
  constexpr std::int64_t kMaxPictures = 65535;  // of the kernel
  if (!fits_int(x) || x.shape[0] > kMaxPictures) return {};
  const std::int64_t pixels = x.shape[1] * x.shape[2];
  if (!fits_int({x.dtype, {pixels}})) return {};

  const auto make = [=, kind = site.node.as<GlobalPool>()->kind](const BuildArgs& args) -> Launch {
    const auto pool =
        kind == PoolKind::kMax ? kernels::global_max_pool : kernels::global_average_pool;
    const kernels::GlobalPoolArgs fixed{.type = element_type(x.dtype),
                                        .x_stride = pixel_stride(x, args.inputs[0]),
                                        .n = static_cast<int>(x.shape[0]),
                                        .pixels = static_cast<int>(pixels),
                                        .c = static_cast<int>(x.shape[3])};
    return [=](const Operands& operands, cudaStream_t stream) {
      kernels::GlobalPoolArgs placed = fixed;
      placed.x = operands.inputs[0];
      placed.y = operands.outputs[0];
      return pool(placed, stream);
    };
  };
  Tactic tactic = kernel_tactic(site, "global-pool", make);
  tactic.inputs[0] = strided_or_dense(site.inputs[0]);
  return {tactic};
}

}  // namespace fovea::cuda
