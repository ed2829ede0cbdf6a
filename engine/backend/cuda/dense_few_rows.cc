// Fully connected layers of small batches, as fast as their weights can be read.
#include "kernels/dense_few_rows.h"

#include <utility>

#include "engine/backend/cuda/elementwise.h"
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"

namespace fovea::cuda {

std::vector<Tactic> lower_dense_few_rows(const OpSite& site) {
  const auto& op = *site.node.as<Dense>();
  const TensorDesc& x = site.input(0);
  const TensorDesc& w = site.input(1);
  const auto row_bytes = x.shape[1] * static_cast<std::int64_t>(element_size(x.dtype));
  if (!fits_int(x) || !fits_int(w) || x.shape[0] > kernels::kMostFewRows || row_bytes % 16 != 0 ||
      !can_be_read_as(site, 1, x.dtype) || (op.bias && !can_be_read_as(site, 2, DType::kFloat32))) {
    return {};
  }

  const kernels::DenseFewRowsArgs fixed{.type = element_type(x.dtype),
                                        .rows = static_cast<int>(x.shape[0]),
                                        .inputs = static_cast<int>(w.shape[1]),
                                        .outputs = static_cast<int>(w.shape[0]),
                                        .activation = kernel_activation(op.activation)};
  const auto make = [fixed, bias = op.bias](const BuildArgs&) -> Launch {
    return [=](const Operands& operands, cudaStream_t stream) {
      kernels::DenseFewRowsArgs dense = fixed;
      dense.x = operands.inputs[0];
      dense.w = operands.inputs[1];
      dense.bias = bias ? operands.input(2) : nullptr;
      dense.y = operands.outputs[0];
      return kernels::dense_few_rows(dense, stream);
    };
  };
  ReadTypes types{x.dtype, x.dtype};
  if (op.bias) types.emplace_back(DType::kFloat32);
  return {kernel_tactic(site, "dense:few-rows", std::move(types), make)};
}

}  // namespace fovea::cuda
