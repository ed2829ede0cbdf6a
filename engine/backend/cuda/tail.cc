// The tail of every classifier: softmax and top-k.
#include <utility>

#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "kernels/cast.h"
#include "kernels/softmax_topk.h"

namespace fovea::cuda {

namespace {

/// Rows of a 16-bit type through float32 in the workspace: no network ends in such a softmax, since
/// reduce-precision leaves its tail as it is.
cudaError_t softmax_of_halves(const Operands& operands,
                              const kernels::CastArgs& widen,
                              cudaStream_t stream) {
  kernels::CastArgs cast = widen;
  cast.x = operands.inputs[0];
  cast.y = operands.workspace;
  cudaError_t status = kernels::cast(cast, stream);
  if (status != cudaSuccess) return status;
  auto* logits = reinterpret_cast<float*>(operands.workspace);
  status = kernels::softmax(logits, logits, cast.pixels, cast.channels, stream);
  if (status != cudaSuccess) return status;
  std::swap(cast.from, cast.to);
  cast.x = logits;
  cast.y = operands.outputs[0];
  return kernels::cast(cast, stream);
}

}  // namespace

std::vector<Tactic> lower_softmax(const OpSite& site) {
  const TensorDesc& x = site.input(0);
  const bool is_float = x.dtype == DType::kFloat32;
  const std::int64_t rows = pixels_of(x);
  const std::int64_t cols = channels_of(x);
  if (!fits_int({x.dtype, is_float ? Shape{rows, cols} : Shape{rows * cols}})) return {};
  const kernels::CastArgs widen{.from = element_type(x.dtype),
                                .x_stride = cols,
                                .y_stride = cols,
                                .pixels = rows,
                                .channels = cols};
  const auto make = [=](const BuildArgs&) -> Launch {
    return [=](const Operands& operands, cudaStream_t stream) {
      return is_float ? kernels::softmax(operands.input(0), operands.output(0), rows, cols, stream)
                      : softmax_of_halves(operands, widen, stream);
    };
  };
  Tactic tactic = kernel_tactic(site, "softmax:block-per-row", make);
  tactic.aliases = {{.input = 0, .output = 0}};
  if (!is_float) {
    tactic.workspace_bytes = byte_size({DType::kFloat32, x.shape});
  }
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
