#include "engine/graph/ops/quantization.h"

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

ScaleGrid scale_grid(const Shape& shape, std::int64_t axis, std::size_t scales) {
  ScaleGrid grid{.channels = scales, .inner = 1};
  if (scales == 1) return grid;
  for (auto d = static_cast<std::size_t>(axis) + 1; d < shape.size(); ++d) {
    grid.inner *= static_cast<std::size_t>(shape[d]);
  }
  return grid;
}

void check_scale(const TensorDesc& x, const TensorDesc& scale, std::int64_t axis) {
  check_dtype(scale, DType::kFloat32, "scale");
  if (scale.shape.empty() || scale.shape == Shape{1}) return;
  if (axis < 0 || axis >= static_cast<std::int64_t>(x.shape.size())) {
    throw InvalidArgument(cat("axis is ", axis, ", but x is ", to_string(x)));
  }
  check_concrete(scale, "scale");
  if (scale.shape == Shape{x.shape[static_cast<std::size_t>(axis)]}) return;
  throw InvalidArgument(cat("scale is ",
                            to_string(scale),
                            ", but dimension ",
                            axis,
                            " of x ",
                            to_string(x),
                            " needs one scale or one each"));
}

}  // namespace fovea
