// Reordering of dimensions.
#include "kernels/transpose.h"

#include <algorithm>

#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "engine/graph/ops/shape_rule.h"
#include "engine/graph/ops/strided_copy.h"

namespace fovea::cuda {

namespace {

static_assert(kernels::kMaxTransposeRank >= kMaxRank);

/// Elements between neighbours along every dimension of a tensor whose pixels are `pixel_stride`
/// apart.
Shape strides_of(const TensorDesc& desc, std::int64_t pixel_stride) {
  if (desc.shape.empty()) return {};
  Shape as_if_dense = desc.shape;
  as_if_dense.back() = pixel_stride;
  return row_major_strides(as_if_dense);
}

}  // namespace

std::vector<Tactic> lower_transpose(const OpSite& site) {
  const TensorDesc& x = site.input(0);
  const TensorDesc& y = site.node.outputs[0];
  if (!elements_fit_int(x)) return {};

  const auto make = [=, perm = site.node.as<Transpose>()->perm](const BuildArgs& args) -> Launch {
    kernels::TransposeArgs fixed;
    fixed.element_bytes = static_cast<int>(element_size(x.dtype));
    fixed.rank = static_cast<int>(y.shape.size());
    const Shape from = permuted(strides_of(x, pixel_stride(x, args.inputs[0])), perm);
    const Shape to = strides_of(y, pixel_stride(y, args.outputs[0]));
    std::ranges::copy(y.shape, fixed.sizes.begin());
    std::ranges::copy(from, fixed.x_strides.begin());
    std::ranges::copy(to, fixed.y_strides.begin());
    return [fixed](const Operands& operands, cudaStream_t stream) {
      kernels::TransposeArgs placed = fixed;
      placed.x = operands.inputs[0];
      placed.y = operands.outputs[0];
      return kernels::transpose(placed, stream);
    };
  };
  Tactic tactic = kernel_tactic(site, "transpose", make);
  tactic.inputs[0] = strided_or_dense(site.inputs[0]);
  tactic.writes_slices = true;
  return {tactic};
}

}  // namespace fovea::cuda
