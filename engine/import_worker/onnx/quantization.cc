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
  if (num_elements(conversion.held_desc(1).shape) == 1) {
    (void)node.integer("axis", 1);
    return 0;
  }
  const std::int64_t axis = node.axis(1, conversion.held_desc(0).shape.size());
  return conversion.values.order(node.input(0)) == Order::kNhwc ? nhwc_axis(axis) : axis;
}

/// The third input. A single zero point may come as [] beside a scale [1] and the other way round.
Value zero_point(const Conversion& conversion) {
  const std::string& name = conversion.node.input(2);
  const Shape scale = conversion.held_desc(1).shape;
  const Constant* constant = conversion.values.constant(name);
  const bool single =
      constant != nullptr && num_elements(constant->desc.shape) == 1 && num_elements(scale) == 1;
  if (!single || constant->desc.shape == scale) return conversion.values.held(name);
  return conversion.add_constant({{constant->desc.dtype, scale}, constant->data}, "zero_point");
}

}  // namespace

void convert_dequantize_linear(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(2, 3);
  conversion.check_float(1);
  const std::string& x = node.input(0);
  DequantizeLinear dequantize{.axis = scale_axis(conversion), .zero_point = node.has_input(2)};
  std::vector<Value> inputs{conversion.values.held(x), conversion.values.held(node.input(1))};
  if (dequantize.zero_point) inputs.push_back(zero_point(conversion));
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
    inputs.push_back(zero_point(conversion));
  } else {
    const std::vector<std::byte> zeros(static_cast<std::size_t>(num_elements(scale.shape)));
    inputs.push_back(
        conversion.add_constant({{DType::kUInt8, scale.shape}, Buffer::from(zeros)}, "zero_point"));
  }
  conversion.define(quantize, std::move(inputs), conversion.values.order(x));
}

}  // namespace fovea::onnx
