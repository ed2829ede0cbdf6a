#include "engine/graph/ops/quantize_linear.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "engine/core/require.h"
#include "engine/graph/ops/quantization.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

/// `steps` from the zero point, which a float32 quotient may put anywhere.
template <typename T>
T place(float steps, T zero_point) {
  if (std::isnan(steps)) return zero_point;
  // Half way between two integers nearbyint goes to the even one, as long as nobody changes the
  // mode.
  const double y = std::nearbyint(static_cast<double>(steps)) + zero_point;
  return static_cast<T>(
      std::clamp<double>(y, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}

template <typename T>
void quantize(std::span<const ConstTensorView> inputs, TensorView output, const ScaleGrid& grid) {
  const auto x = inputs[0].floats();
  const auto scale = inputs[1].floats();
  const auto zero = inputs[2].as<T>();
  const auto y = output.as<T>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = grid.channel(i);
    y[i] = place<T>(x[i] / scale[c], zero[c]);
  }
}

}  // namespace

std::vector<TensorDesc> QuantizeLinear::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 3);
  check_dtype(inputs[0], DType::kFloat32, "x");
  check_scale(inputs[0], inputs[1], axis);
  const DType dtype = inputs[2].dtype;
  if (dtype != DType::kInt8 && dtype != DType::kUInt8) {
    throw InvalidArgument(
        cat("zero_point is ", to_string(inputs[2]), ", but must be of type i8 or u8"));
  }
  check_equal(inputs[2], {dtype, inputs[1].shape}, "zero_point");
  return {checked_output({dtype, inputs[0].shape})};
}

void QuantizeLinear::evaluate(std::span<const ConstTensorView> inputs,
                              std::span<const TensorView> outputs) const {
  const ScaleGrid grid = scale_grid(inputs[0].desc->shape, axis, inputs[1].floats().size());
  if (outputs[0].desc->dtype == DType::kInt8) {
    quantize<std::int8_t>(inputs, outputs[0], grid);
  } else {
    quantize<std::uint8_t>(inputs, outputs[0], grid);
  }
}

}  // namespace fovea
