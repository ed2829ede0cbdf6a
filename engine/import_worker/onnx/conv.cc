// Conv.
#include <array>

#include "engine/core/require.h"
#include "engine/import_worker/onnx/converters.h"

namespace fovea::onnx {

namespace {

/// Sizes along the height and the width.
using Pair = std::array<std::int64_t, 2>;

Pair pair(const std::vector<std::int64_t>& sizes) {
  return {sizes[0], sizes[1]};
}

/// The padding that "auto_pad" or "pads" ask for; `shape` is the NHWC input's.
Pads padding(OnnxNode& node, const Shape& shape, const Pair& kernel, const Conv2d& conv) {
  const std::vector<std::int64_t> given = node.sizes("pads", 4, 0, 0);
  const std::string automatic = node.text("auto_pad", "NOTSET");
  if (automatic == "NOTSET") return {given[0], given[1], given[2], given[3]};
  if (automatic == "VALID") return {0, 0, 0, 0};
  if (automatic != "SAME_UPPER" && automatic != "SAME_LOWER") {
    node.fail_corrupt("has an unknown 'auto_pad'");
  }
  std::array<Pair, 2> around{};
  for (std::size_t d = 0; d < 2; ++d) {
    around.at(d) =
        same_padding(shape[d + 1], kernel.at(d), conv.strides.at(d), conv.dilations.at(d));
    if (automatic == "SAME_LOWER") std::swap(around.at(d)[0], around.at(d)[1]);
  }
  return {around[0][0], around[1][0], around[0][1], around[1][1]};
}

}  // namespace

void convert_conv(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(2, 3);
  const Value x = conversion.picture(0);
  conversion.check_float(1);
  if (conversion.held_desc(1).shape.size() != 4) {
    node.fail_corrupt(cat("has weights ", to_string(conversion.held_desc(1))));
  }
  const Value weights = conversion.values.permuted_weight(node.input(1), {0, 2, 3, 1});
  const Shape& shape = conversion.graph.desc(weights).shape;
  const Pair kernel{shape[1], shape[2]};
  const auto declared = node.integers("kernel_shape");
  if (declared && *declared != std::vector<std::int64_t>(kernel.begin(), kernel.end())) {
    node.fail_corrupt("has a 'kernel_shape' that is not its weights'");
  }

  Conv2d conv;
  conv.strides = pair(node.sizes("strides", 2, 1, 1));
  conv.dilations = pair(node.sizes("dilations", 2, 1, 1));
  conv.groups = node.integer("group", 1);
  conv.pads = padding(node, conversion.graph.desc(x).shape, kernel, conv);
  conv.bias = node.has_input(2);
  std::vector<Value> inputs{x, weights};
  if (conv.bias) {
    conversion.check_float(2);
    inputs.push_back(conversion.values.in_file_order(node.input(2)));
  }
  conversion.define(conv, std::move(inputs), Order::kNhwc);
}

}  // namespace fovea::onnx
