// Add, Clip.
#include <limits>
#include <optional>
#include <utility>

#include "engine/core/require.h"
#include "engine/import_worker/onnx/converters.h"

namespace fovea::onnx {

namespace {

/// A number that is given as an input, or as an attribute before operator set 11.
std::optional<float> bound(const Conversion& conversion, int input, std::string_view attribute) {
  OnnxNode& node = conversion.node;
  if (node.operator_set() < 11) {
    constexpr float kNone = std::numeric_limits<float>::infinity();
    const float value = node.real(attribute, kNone);
    return value == kNone ? std::nullopt : std::optional(value);
  }
  if (!node.has_input(input)) return std::nullopt;
  conversion.check_float(input);
  const Constant* constant = conversion.values.constant(node.input(input));
  if (constant == nullptr || num_elements(constant->desc.shape) != 1) {
    node.fail_unsupported(cat("has a '", attribute, "' that is no constant number"));
  }
  const PinnedBytes bytes = constant->read();
  const ConstTensorView view{&constant->desc, bytes.data()};
  return view.floats()[0];
}

/// The constant as an operand of Add for pictures in NHWC: one number, or one per channel.
std::optional<TensorDesc> per_channel(const Constant& constant, std::int64_t channels) {
  const Shape& shape = constant.desc.shape;
  if (num_elements(shape) == 1) return TensorDesc{constant.desc.dtype, {1}};
  const bool along_c = shape == Shape{channels, 1, 1} || shape == Shape{1, channels, 1, 1};
  if (!along_c) return std::nullopt;
  return TensorDesc{constant.desc.dtype, {channels}};
}

/// x + constant, or false where they spread over each other in a way that Add does not know.
bool add_constant(const Conversion& conversion, int x, const Constant& constant) {
  const OnnxNode& node = conversion.node;
  ValueTable& values = conversion.values;
  const TensorDesc desc = conversion.file_desc(x);
  if (constant.desc.shape.size() > desc.shape.size()) return false;
  if (desc.shape.size() == 4) {
    const Value picture = values.in_nhwc(node.input(x));
    const auto operand = per_channel(constant, conversion.graph.desc(picture).shape[3]);
    if (operand) {
      const Value addend = conversion.add_constant({*operand, constant.data}, "addend");
      conversion.define(Add{}, {picture, addend}, Order::kNhwc);
      return true;
    }
  }
  // Spread from the last dimension on: leading ones change nothing.
  Shape shape = constant.desc.shape;
  while (shape.size() > 1 && shape.front() == 1) shape.erase(shape.begin());
  if (shape.empty()) shape = {1};
  if (shape.size() > 1 || (shape[0] != 1 && shape[0] != desc.shape.back())) return false;
  const TensorDesc operand{constant.desc.dtype, std::move(shape)};
  const Value addend = conversion.add_constant({operand, constant.data}, "addend");
  conversion.define(Add{}, {values.in_file_order(node.input(x)), addend}, Order::kFile);
  return true;
}

}  // namespace

void convert_add(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  ValueTable& values = conversion.values;
  node.check_counts(2, 2);
  conversion.check_float(0);
  conversion.check_float(1);
  for (const int i : {0, 1}) {
    // Copied, since nodes that are added move the ones that are there.
    const Constant* found = values.constant(node.input(i));
    if (found == nullptr) continue;
    const Constant constant = *found;
    if (add_constant(conversion, 1 - i, constant)) return;
  }
  // One number for every place along the last dimension, computed from what the file has.
  for (const int i : {0, 1}) {
    const Shape row = conversion.held_desc(i).shape;
    const Shape other_shape = conversion.file_desc(1 - i).shape;
    if (row.size() != 1 || other_shape.size() < 2 || row[0] != other_shape.back()) continue;
    const Value other = values.in_file_order(node.input(1 - i));
    return conversion.define(Add{}, {other, values.held(node.input(i))}, Order::kFile);
  }
  const bool pictures =
      values.order(node.input(0)) == Order::kNhwc || values.order(node.input(1)) == Order::kNhwc;
  const auto operand = [&](int i) {
    return pictures ? values.in_nhwc(node.input(i)) : values.in_file_order(node.input(i));
  };
  if (conversion.file_desc(0) != conversion.file_desc(1)) {
    node.fail_unsupported(cat("spreads ",
                              to_string(conversion.file_desc(0)),
                              " and ",
                              to_string(conversion.file_desc(1)),
                              " over each other in a way that is not supported"));
  }
  std::vector<Value> operands{operand(0), operand(1)};
  conversion.define(Add{}, std::move(operands), pictures ? Order::kNhwc : Order::kFile);
}

void convert_clip(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, node.operator_set() < 11 ? 1 : 3);
  conversion.check_float(0);
  const std::string& x = node.input(0);
  std::optional<float> lo = bound(conversion, 1, "min");
  const std::optional<float> hi = bound(conversion, 2, "max");
  if (lo && hi && *lo > *hi) lo = hi;  // the upper bound is applied last
  const Value value = conversion.values.held(x);
  const Order order = conversion.values.order(x);
  if (lo == 0.0F && !hi) return conversion.define(Relu{}, {value}, order);
  if (!lo && !hi) return conversion.define(Identity{}, {value}, order);
  // Infinities pass a bound that is not there.
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  conversion.define(
      Clip{.lo = lo.value_or(-kInfinity), .hi = hi.value_or(kInfinity)}, {value}, order);
}

}  // namespace fovea::onnx
