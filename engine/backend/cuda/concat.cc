// Concatenation by copies. Along the last dimension the compiler has the inputs written where they
// belong instead, or copies them there itself.
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "kernels/copy.h"

namespace fovea::cuda {

namespace {

/// One input: how many bytes of every row of the output it is, and where they go in that row.
struct Part {
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
  const auto row_bytes = [axis](const TensorDesc& desc) {
    return product(desc.shape, axis, desc.shape.size()) *
           static_cast<std::int64_t>(element_size(desc.dtype));
  };
  std::vector<Part> parts(site.node.inputs.size());
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i] = {.bytes = row_bytes(site.input(i)), .offset = offset};
    offset += parts[i].bytes;
  }

  const auto make = [parts, rows = product(y.shape, 0, axis), out_bytes = row_bytes(y)](
                        const BuildArgs&) -> Launch {
    return [=](const Operands& operands, cudaStream_t stream) {
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const Part& part = parts[i];
        std::byte* to = operands.outputs[0] + part.offset;
        const cudaError_t status = kernels::copy_rows(
            operands.inputs[i], part.bytes, to, out_bytes, rows, part.bytes, stream);
        if (status != cudaSuccess) return status;
      }
      return cudaSuccess;
    };
  };
  return {kernel_tactic(site, "concat:copies", make)};
}

}  // namespace fovea::cuda
