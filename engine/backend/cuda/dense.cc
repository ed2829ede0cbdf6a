// Fully connected layers by our own kernel.
#include "kernels/dense.h"

#include <utility>

#include "engine/backend/cuda/elementwise.h"
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"

namespace fovea::cuda {

std::vector<Tactic> lower_dense(const OpSite& site) {
  const auto* op = site.node.as<Dense>();
  const TensorDesc& x = site.input(0);
  const TensorDesc& w = site.input(1);
  constexpr std::int64_t kMaxRows = 262'140;  // of the kernel
  if (!fits_int(x) || !fits_int(w) || x.shape[0] > kMaxRows) return {};
  if (!can_be_read_as(site, 1, x.dtype) ||
      (op->bias && !can_be_read_as(site, 2, DType::kFloat32))) {
    return {};
  }
  ReadTypes types{x.dtype, x.dtype};
  if (op->bias) types.emplace_back(DType::kFloat32);

  kernels::DenseArgs fixed;
  fixed.type = element_type(x.dtype);
  fixed.rows = x.shape[0];
  fixed.inputs = static_cast<int>(w.shape[1]);
  fixed.outputs = static_cast<int>(w.shape[0]);
  fixed.activation = kernel_activation(op->activation);
  const auto make = [fixed, bias = op->bias](const BuildArgs&) -> Launch {
    return [=](const Operands& operands, cudaStream_t stream) {
      kernels::DenseArgs dense = fixed;
      dense.x = operands.inputs[0];
      dense.w = operands.inputs[1];
      dense.bias = bias ? operands.input(2) : nullptr;
      dense.y = operands.outputs[0];
      return kernels::dense(dense, stream);
    };
  };
  std::vector<Tactic> tactics = lower_dense_few_rows(site);
  tactics.push_back(kernel_tactic(site, "dense:warp", std::move(types), make));
  return tactics;
}

}  // namespace fovea::cuda
