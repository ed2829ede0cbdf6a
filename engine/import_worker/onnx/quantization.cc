// QuantizeLinear, DequantizeLinear.
#include <cstddef>

#include "engine/core/require.h"
#include "engine/import_worker/onnx/converters.h"

namespace fovea::onnx {

namespace {

/// The axis of the scales, in the order of dimensions that the input is held in. It means nothing
/// for a single scale, which Quantize- and DequantizeLinear take at any axis.
std::int64_t scale_axis(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  const std::int64_t axis = node.integer("axis", 1);
  if (num_elements(conversion.held_desc(1).shape) == 1) return 0;
  const auto rank = static_cast<std::int64_t>(conversion.held_desc(0).shape.size());
  if (axis < -rank || axis >= rank) {
    node.fail_corrupt(cat("has axis ", axis, " of ", rank, " dimensions"));
  }
  const std::int64_t from_front = axis < 0 ? axis + rank : axis;
  const bool turned = conversion.values.order(node.input(0)) == Order::kNhwc;
  return turned ? nhwc_axis(from_front) : from_front;
}

}  // namespace

void convert_dequantize_linear(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(2, 3);
  conversion.check_float(1);
  const std::string& x = node.input(0);
  DequantizeLinear dequantize{.axis = scale_axis(conversion), .zero_point = node.has_input(2)};
  std::vector<Value> inputs{conversion.values.held(x), conversion.values.held(node.input(1))};
  if (dequantize.zero_point) inputs.push_back(conversion.values.held(node.input(2)));
  conversion.define(dequantize, std::move(inputs), conversion.values.order(x));
}

void convert_quantize_linear(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(2, 3);
  conversion.check_float(0);
  conversion.check_float(1);
  (void)node.integer("saturate", 1);  // of the 8-bit floats, which are no types of ours
  const std::string& x = node.input(0);
  const TensorDesc scale = conversion.held_desc(1);
  const QuantizeLinear quantize{.axis = scale_axis(conversion)};
  std::vector<Value> inputs{conversion.values.held(x), conversion.values.held(node.input(1))};
  if (node.has_input(2)) {
    inputs.push_back(conversion.values.held(node.input(2)));
  } else {
    const std::vector<std::byte> zeros(static_cast<std::size_t>(num_elements(scale.shape)));
    inputs.push_back(
        conversion.add_constant({{DType::kUInt8, scale.shape}, Buffer::from(zeros)}, "zero_point"));
  }
  conversion.define(quantize, std::move(inputs), conversion.values.order(x));
}

}  // namespace fovea::onnx
