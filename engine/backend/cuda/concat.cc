// Concatenation and slices by copies. Along the last dimension the compiler has a Concat's inputs
// written where they belong instead, or copies them there itself.
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "kernels/copy.h"

namespace fovea::cuda {

namespace {

/// Bytes of one row of a tensor whose rows are all the dimensions from `axis` on.
std::int64_t row_bytes(const TensorDesc& desc, std::int64_t axis) {
  std::int64_t bytes = static_cast<std::int64_t>(element_size(desc.dtype));
  for (auto d = static_cast<std::size_t>(axis); d < desc.shape.size(); ++d) bytes *= desc.shape[d];
  return bytes;
}

/// How many such rows there are.
std::int64_t row_count(const TensorDesc& desc, std::int64_t axis) {
  return static_cast<std::int64_t>(byte_size(desc)) / row_bytes(desc, axis);
}

/// One input of a Concat: how many bytes of every row of the output it is, and where they go in
/// that row.
struct Part {
  std::int64_t bytes = 0;
  std::int64_t offset = 0;
};

}  // namespace

std::vector<Tactic> lower_concat(const OpSite& site) {
  const TensorDesc& y = site.node.outputs[0];
  const std::int64_t axis = site.node.as<Concat>()->axis;
  std::vector<Part> parts(site.node.inputs.size());
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i] = {.bytes = row_bytes(site.input(i), axis), .offset = offset};
    offset += parts[i].bytes;
  }

  const auto make = [parts, rows = row_count(y, axis), out_bytes = row_bytes(y, axis)](
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

std::vector<Tactic> lower_slice(const OpSite& site) {
  const auto& slice = *site.node.as<Slice>();
  const TensorDesc& x = site.input(0);
  const std::int64_t x_bytes = row_bytes(x, slice.axis);
  const std::int64_t y_bytes = row_bytes(site.node.outputs[0], slice.axis);
  const std::int64_t skipped =
      x_bytes / x.shape[static_cast<std::size_t>(slice.axis)] * slice.begin;

  const auto make = [=, rows = row_count(x, slice.axis)](const BuildArgs&) -> Launch {
    return [=](const Operands& operands, cudaStream_t stream) {
      return kernels::copy_rows(operands.inputs[0] + skipped,
                                x_bytes,
                                operands.outputs[0],
                                y_bytes,
                                rows,
                                y_bytes,
                                stream);
    };
  };
  return {kernel_tactic(site, "slice:copy", make)};
}

}  // namespace fovea::cuda
