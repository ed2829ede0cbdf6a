#include "engine/graph/ops/dequantize_linear.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>

#include "engine/core/require.h"
#include "engine/graph/ops/quantization.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

/// difference * scale, rounded once. The difference of two i32 has 33 bits, so the product may have
/// 57 and a double would round it first: the double is then made odd in the direction of what it
/// lost, which leaves the second rounding as if it were the only one.
/// Source: Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums", IEEE TC 57 (2008).
float round_product(std::int64_t difference, float scale) {
  const auto factor = static_cast<double>(difference);
  double product = factor * scale;
  const double lost = std::fma(factor, static_cast<double>(scale), -product);
  const bool odd = (std::bit_cast<std::uint64_t>(product) & 1U) != 0;
  if (std::isfinite(product) && lost != 0.0 && !odd) {
    product = std::nextafter(product, std::copysign(std::numeric_limits<double>::infinity(), lost));
  }
  return static_cast<float>(product);
}

template <typename T>
void dequantize(std::span<const ConstTensorView> inputs, TensorView output, const ScaleGrid& grid) {
  const auto x = inputs[0].as<T>();
  const auto scale = inputs[1].floats();
  const auto y = output.floats();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = grid.channel(i);
    const std::int64_t zero = inputs.size() > 2 ? inputs[2].as<T>()[c] : 0;
    y[i] = round_product(static_cast<std::int64_t>(x[i]) - zero, scale[c]);
  }
}

}  // namespace

std::vector<TensorDesc> DequantizeLinear::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, zero_point ? 3 : 2);
  const TensorDesc& x = inputs[0];
  const TensorDesc& scale = inputs[1];
  if (x.dtype != DType::kInt8 && x.dtype != DType::kUInt8 && x.dtype != DType::kInt32) {
    throw InvalidArgument(cat("x is ", to_string(x), ", but must be of type i8, u8 or i32"));
  }
  check_scale(x, scale, axis);
  if (zero_point) check_equal(inputs[2], {x.dtype, scale.shape}, "zero_point");
  return {checked_output({DType::kFloat32, x.shape})};
}

void DequantizeLinear::evaluate(std::span<const ConstTensorView> inputs,
                                std::span<const TensorView> outputs) const {
  const ScaleGrid grid = scale_grid(inputs[0].desc->shape, axis, inputs[1].floats().size());
  switch (inputs[0].desc->dtype) {
    case DType::kInt8:
      return dequantize<std::int8_t>(inputs, outputs[0], grid);
    case DType::kUInt8:
      return dequantize<std::uint8_t>(inputs, outputs[0], grid);
    default:
      return dequantize<std::int32_t>(inputs, outputs[0], grid);
  }
}

}  // namespace fovea
