// Add, Mul, Sum.
#include <optional>
#include <utility>

#include "engine/core/require.h"
#include "engine/import_worker/onnx/converters.h"

namespace fovea::onnx {

namespace {

/// The constant as the second operand for pictures in NHWC: one number, or one per channel.
std::optional<TensorDesc> per_channel(const Constant& constant, std::int64_t channels) {
  const Shape& shape = constant.desc.shape;
  if (num_elements(shape) == 1) return TensorDesc{constant.desc.dtype, {1}};
  const bool along_c = shape == Shape{channels, 1, 1} || shape == Shape{1, channels, 1, 1};
  if (!along_c) return std::nullopt;
  return TensorDesc{constant.desc.dtype, {channels}};
}

/// x op constant, or false where they spread over each other in a way that our operators do not
/// know.
bool define_with_constant(const Conversion& conversion,
                          const Op& op,
                          int x,
                          const Constant& constant) {
  const OnnxNode& node = conversion.node;
  ValueTable& values = conversion.values;
  const TensorDesc desc = conversion.file_desc(x);
  if (constant.desc.shape.size() > desc.shape.size()) return false;
  if (desc.shape.size() == 4) {
    const Value picture = values.in_nhwc(node.input(x));
    const auto operand = per_channel(constant, conversion.graph.desc(picture).shape[3]);
    if (operand) {
      const Value second = conversion.add_constant({*operand, constant.data}, "operand");
      conversion.define(op, {picture, second}, Order::kNhwc);
      return true;
    }
  }
  // Spread from the last dimension on: leading ones change nothing.
  Shape shape = constant.desc.shape;
  while (shape.size() > 1 && shape.front() == 1) shape.erase(shape.begin());
  if (shape.empty()) shape = {1};
  if (shape.size() > 1 || (shape[0] != 1 && shape[0] != desc.shape.back())) return false;
  const TensorDesc operand{constant.desc.dtype, std::move(shape)};
  const Value second = conversion.add_constant({operand, constant.data}, "operand");
  conversion.define(op, {values.in_file_order(node.input(x)), second}, Order::kFile);
  return true;
}

/// The inputs, which must all have one shape, in one order of dimensions.
std::pair<std::vector<Value>, Order> equal_operands(const Conversion& conversion) {
  const OnnxNode& node = conversion.node;
  const TensorDesc first = conversion.file_desc(0);
  for (int i = 0; i < node.input_count(); ++i) {
    if (conversion.file_desc(i) == first) continue;
    node.fail_unsupported(cat("spreads ",
                              to_string(first),
                              " and ",
                              to_string(conversion.file_desc(i)),
                              " over each other in a way that is not supported"));
  }
  return conversion.operands();
}

/// Add or Mul, which may take their operands in either order.
void define_pair(const Conversion& conversion, const Op& op) {
  const OnnxNode& node = conversion.node;
  ValueTable& values = conversion.values;
  for (const int i : {0, 1}) conversion.check_float(i);
  for (const int i : {0, 1}) {
    // Copied, since nodes that are added move the ones that are there.
    const Constant* found = values.constant(node.input(i));
    if (found == nullptr) continue;
    const Constant constant = *found;
    if (define_with_constant(conversion, op, 1 - i, constant)) return;
  }
  // One number for every place along the last dimension, computed from what the file has.
  for (const int i : {0, 1}) {
    const Shape row = conversion.held_desc(i).shape;
    const Shape other_shape = conversion.file_desc(1 - i).shape;
    if (row.size() != 1 || other_shape.size() < 2 || row[0] != other_shape.back()) continue;
    const Value other = values.in_file_order(node.input(1 - i));
    return conversion.define(op, {other, values.held(node.input(i))}, Order::kFile);
  }
  auto [operands, order] = equal_operands(conversion);
  conversion.define(op, std::move(operands), order);
}

}  // namespace

void convert_add(const Conversion& conversion) {
  conversion.node.check_counts(2, 2);
  define_pair(conversion, Add{});
}

void convert_mul(const Conversion& conversion) {
  conversion.node.check_counts(2, 2);
  define_pair(conversion, Mul{});
}

void convert_sum(const Conversion& conversion) {
  const OnnxNode& node = conversion.node;
  node.check_counts(1, kAnyNumber);
  if (node.input_count() == 2) return define_pair(conversion, Add{});
  for (int i = 0; i < node.input_count(); ++i) conversion.check_float(i);
  const auto [operands, order] = equal_operands(conversion);
  if (operands.size() == 1) return conversion.define(Identity{}, operands, order);
  Value sum = operands[0];
  for (std::size_t i = 1; i + 1 < operands.size(); ++i) {
    const std::string name = conversion.values.free_name(node.output(), "sum");
    sum = conversion.graph.add(Add{}, {sum, operands[i]}, name);
  }
  conversion.define(Add{}, {sum, operands.back()}, order);
}

}  // namespace fovea::onnx
