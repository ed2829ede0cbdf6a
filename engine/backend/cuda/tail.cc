// The tail of every classifier: softmax and top-k.
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "kernels/softmax_topk.h"

namespace fovea::cuda {

std::vector<Tactic> lower_softmax(const OpSite& site) {
  const TensorDesc& x = site.input(0);
  if (!fits_int({x.dtype, {pixels_of(x), channels_of(x)}})) return {};
  const auto make = [rows = pixels_of(x), cols = channels_of(x)](const BuildArgs&) -> Launch {
    return [=](const Operands& operands, cudaStream_t stream) {
      return kernels::softmax(operands.input(0), operands.output(0), rows, cols, stream);
    };
  };
  Tactic tactic = kernel_tactic(site, "softmax:block-per-row", make);
  tactic.aliases = {{.input = 0, .output = 0}};
  return {tactic};
}

std::vector<Tactic> lower_topk(const OpSite& site) {
  const TensorDesc& x = site.input(0);
  constexpr std::int64_t kBlock = 256;  // elements of a row that one block ranks at most
  if (!fits_int({x.dtype, {x.shape[0] * (x.shape[1] / kBlock + 1)}})) return {};
  kernels::TopKArgs fixed;
  fixed.rows = x.shape[0];
  fixed.cols = x.shape[1];
  fixed.k = site.node.as<TopK>()->k;
  const bool softmax = site.node.as<TopK>()->softmax;
  const auto make = [fixed, softmax](const BuildArgs&) -> Launch {
    return [=](const Operands& operands, cudaStream_t stream) {
      kernels::TopKArgs topk = fixed;
      topk.x = operands.input(0);
      topk.values = operands.output(0);
      topk.indices = reinterpret_cast<std::int32_t*>(operands.outputs[1]);
      return softmax ? kernels::softmax_top_k(topk, stream) : kernels::top_k(topk, stream);
    };
  };
  return {kernel_tactic(site, softmax ? "softmax-top-k" : "top-k", make)};
}

}  // namespace fovea::cuda
