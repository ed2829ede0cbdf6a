// Conv.
#include "engine/core/require.h"
#include "engine/import_worker/onnx/converters.h"
#include "engine/import_worker/onnx/window.h"

namespace fovea::onnx {

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

  const Window window = read_window(node, kernel);
  Conv2d conv;
  conv.strides = window.strides;
  conv.dilations = window.dilations;
  conv.groups = node.integer("group", 1);
  conv.pads = read_padding(node, conversion.graph.desc(x).shape, window);
  conv.bias = node.has_input(2);
  std::vector<Value> inputs{x, weights};
  if (conv.bias) {
    conversion.check_float(2);
    inputs.push_back(conversion.values.in_file_order(node.input(2)));
  }
  conversion.define(conv, std::move(inputs), Order::kNhwc);
}

}  // namespace fovea::onnx
