// Fully connected layers by our own kernels, and by those of a library.
#include "kernels/dense.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "engine/backend/cuda/elementwise.h"
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "engine/backend/cuda/packed_constant.h"
#include "kernels/dense_few_rows.h"

namespace fovea::cuda {

bool takes_few_rows(const OpSite& site) {
  const TensorDesc& x = site.input(0);
  const auto row_bytes = x.shape[1] * static_cast<std::int64_t>(element_size(x.dtype));
  return x.shape[0] <= kernels::kMostFewRows && row_bytes % 16 == 0;
}

std::vector<Tactic> lower_dense(const OpSite& site, const DenseLibrary* library) {
  const auto& op = *site.node.as<Dense>();
  const TensorDesc& x = site.input(0);
  const TensorDesc& w = site.input(1);
  if (!fits_int(x) || !fits_int(w) || !can_be_read_as(site, 1, x.dtype) ||
      (op.bias && !can_be_read_as(site, 2, DType::kFloat32))) {
    return {};
  }
  ReadTypes types{x.dtype, std::nullopt};
  if (op.bias) types.emplace_back(DType::kFloat32);

  const kernels::DenseArgs fixed{.type = element_type(x.dtype),
                                 .rows = x.shape[0],
                                 .inputs = static_cast<int>(w.shape[1]),
                                 .outputs = static_cast<int>(w.shape[0]),
                                 .activation = kernel_activation(op.activation)};
  const auto weights =
      site.constant(1) != nullptr ? std::optional(*site.constant(1)) : std::nullopt;
  using Kernel = cudaError_t(const kernels::DenseArgs& args, cudaStream_t stream);
  const auto tactic = [&](const char* name, Kernel* kernel) {
    const auto make =
        [fixed, kernel, bias = op.bias, weights, type = x.dtype](const BuildArgs& args) -> Launch {
      const auto packed = weights ? packed_weights(*weights, type, args.weights) : nullptr;
      return [=](const Operands& operands, cudaStream_t stream) {
        kernels::DenseArgs dense = fixed;
        dense.x = operands.inputs[0];
        dense.w = packed != nullptr ? packed.get() : operands.inputs[1];
        dense.bias = bias ? operands.input(2) : nullptr;
        dense.y = operands.outputs[0];
        return kernel(dense, stream);
      };
    };
    return kernel_tactic(site, name, types, make);
  };

  constexpr std::int64_t kMaxRows = 262'140;  // of kernels::dense
  std::vector<Tactic> tactics;
  if (takes_few_rows(site)) tactics.push_back(tactic("dense:few-rows", kernels::dense_few_rows));
  if (library != nullptr) {
    std::ranges::move(library->tactics(site), std::back_inserter(tactics));
  }
  if (x.shape[0] <= kMaxRows) tactics.push_back(tactic("dense:warp", kernels::dense));
  return tactics;
}

}  // namespace fovea::cuda
