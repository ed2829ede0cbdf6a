// Clip, Dropout, Identity, Relu: one value in, one of the same shape out.
#include <limits>
#include <optional>

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
  return conversion.number(input, attribute);
}

/// Defines the output as the operator of input 0, in the order that this is held in.
void define_alike(const Conversion& conversion, Op op) {
  const std::string& x = conversion.node.input(0);
  const Order order = conversion.values.order(x);
  conversion.define(std::move(op), {conversion.values.held(x)}, order);
}

/// Defines the output as input 0. A constant stays one, for those that ask for constants.
void define_same(const Conversion& conversion) {
  const Constant* found = conversion.values.constant(conversion.node.input(0));
  if (found == nullptr) return define_alike(conversion, Identity{});
  Constant constant = *found;
  conversion.define(std::move(constant), {}, Order::kFile);
}

}  // namespace

void convert_clip(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, node.operator_set() < 11 ? 1 : 3);
  conversion.check_float(0);
  std::optional<float> lo = bound(conversion, 1, "min");
  const std::optional<float> hi = bound(conversion, 2, "max");
  if (lo && hi && *lo > *hi) lo = hi;  // the upper bound is applied last
  if (lo == 0.0F && !hi) return define_alike(conversion, Relu{});
  if (!lo && !hi) return define_alike(conversion, Identity{});
  // Infinities pass a bound that is not there.
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  define_alike(conversion, Clip{.lo = lo.value_or(-kInfinity), .hi = hi.value_or(kInfinity)});
}

void convert_dropout(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(1, node.operator_set() < 12 ? 1 : 3, 2);
  conversion.refuse_output(1, "what a training step drops");
  if (node.has_input(2)) {
    node.fail_unsupported("has a 'training_mode'; export the model for inference");
  }
  if (node.operator_set() < 12) (void)node.real("ratio", 0.5F);
  (void)node.integer("seed", 0);
  define_same(conversion);
}

void convert_identity(const Conversion& conversion) {
  conversion.node.check_counts(1, 1);
  define_same(conversion);
}

void convert_relu(const Conversion& conversion) {
  conversion.node.check_counts(1, 1);
  conversion.check_float(0);
  define_alike(conversion, Relu{});
}

}  // namespace fovea::onnx
