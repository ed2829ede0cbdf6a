// Concatenation by copies. Along the last dimension the compiler usually has the inputs written
// where they belong, and only copies are left for those that could not be.
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "kernels/copy.h"

namespace fovea::cuda {

namespace {

/// One input: rows of bytes that lie in one piece, and where they go in the output's rows.
struct Part {
  std::int64_t stride = 0;
  std::int64_t bytes = 0;
  std::int64_t offset = 0;
};

/// Product of the dimensions from `begin` to before `end`.
std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t result = 1;
  for (std::size_t i = begin; i < end; ++i) result *= shape[i];
  return result;
}

}  // namespace

std::vector<Tactic> lower_concat(const OpSite& site) {
  const TensorDesc& y = site.node.outputs[0];
  const auto axis = static_cast<std::size_t>(site.node.as<Concat>()->axis);
  const std::size_t rank = y.shape.size();
  const bool of_channels = axis == rank - 1;
  const auto element = static_cast<std::int64_t>(element_size(y.dtype));
  const std::int64_t rows = product(y.shape, 0, axis);

  std::vector<TensorDesc> inputs;
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) inputs.push_back(site.input(i));
  const auto make = [=](const BuildArgs& args) -> Launch {
    const std::int64_t out_stride = of_channels ? pixel_stride(y, args.outputs[0]) * element
                                                : product(y.shape, axis, rank) * element;
    std::vector<Part> parts;
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::int64_t bytes = product(inputs[i].shape, axis, rank) * element;
      const std::int64_t stride =
          of_channels ? pixel_stride(inputs[i], args.inputs[i]) * element : bytes;
      parts.push_back({stride, bytes, offset});
      offset += bytes;
    }
    return [=](const Operands& operands, cudaStream_t stream) {
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const Part& part = parts[i];
        std::byte* to = operands.outputs[0] + part.offset;
        const cudaError_t status = kernels::copy_rows(
            operands.inputs[i], part.stride, to, out_stride, rows, part.bytes, stream);
        if (status != cudaSuccess) return status;
      }
      return cudaSuccess;
    };
  };
  Tactic tactic = kernel_tactic(site, "concat:copies", make);
  if (of_channels) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (site.constant(i) == nullptr) tactic.inputs[i] = strided_or_dense(site.inputs[i]);
    }
  }
  tactic.writes_slices = of_channels;
  return {tactic};
}

}  // namespace fovea::cuda
