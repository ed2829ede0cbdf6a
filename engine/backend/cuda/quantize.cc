// Real numbers to integers on a grid and back.
#include "kernels/quantize.h"

#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "engine/graph/ops/quantization.h"

namespace fovea::cuda {

namespace {

kernels::IntegerType integer_type(DType dtype) {
  if (dtype == DType::kInt8) return kernels::IntegerType::kInt8;
  if (dtype == DType::kUInt8) return kernels::IntegerType::kUInt8;
  return kernels::IntegerType::kInt32;
}

/// The grid that the second input lays over the first; without addresses.
kernels::QuantizationGrid grid_of(const OpSite& site, std::int64_t axis, DType integers) {
  const std::int64_t scales = num_elements(site.input(1).shape);
  const ScaleGrid grid = scale_grid(site.input(0).shape, axis, static_cast<std::size_t>(scales));
  return {.type = integer_type(integers),
          .channels = static_cast<std::int64_t>(grid.channels),
          .inner = static_cast<std::int64_t>(grid.inner)};
}

bool fits(const TensorDesc& x) {
  return elements_fit_int(x);
}

}  // namespace

std::vector<Tactic> lower_quantize(const OpSite& site) {
  const TensorDesc& x = site.input(0);
  if (!fits(x)) return {};
  const auto make =
      [fixed = grid_of(site, site.node.as<QuantizeLinear>()->axis, site.node.outputs[0].dtype),
       count = num_elements(x.shape)](const BuildArgs&) -> Launch {
    return [=](const Operands& operands, cudaStream_t stream) {
      kernels::QuantizationGrid grid = fixed;
      grid.scale = operands.input(1);
      grid.zero_point = operands.inputs[2];
      return kernels::quantize(operands.input(0), operands.outputs[0], grid, count, stream);
    };
  };
  return {kernel_tactic(site, "quantize", make)};
}

std::vector<Tactic> lower_dequantize(const OpSite& site) {
  const auto& op = *site.node.as<DequantizeLinear>();
  const TensorDesc& x = site.input(0);
  if (!fits(x)) return {};
  const auto make = [fixed = grid_of(site, op.axis, x.dtype),
                     has_zero_point = op.zero_point,
                     count = num_elements(x.shape)](const BuildArgs&) -> Launch {
    return [=](const Operands& operands, cudaStream_t stream) {
      kernels::QuantizationGrid grid = fixed;
      grid.scale = operands.input(1);
      grid.zero_point = has_zero_point ? operands.inputs[2] : nullptr;
      return kernels::dequantize(operands.inputs[0], operands.output(0), grid, count, stream);
    };
  };
  return {kernel_tactic(site, "dequantize", make)};
}

}  // namespace fovea::cuda
