#include "engine/import_worker/onnx/converters.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/core/require.h"

namespace fovea::onnx {

namespace {

constexpr std::array<std::pair<std::string_view, Converter*>, 9> kConverters{{
    {"Add", convert_add},
    {"Clip", convert_clip},
    {"Conv", convert_conv},
    {"DequantizeLinear", convert_dequantize_linear},
    {"Flatten", convert_flatten},
    {"Gemm", convert_gemm},
    {"GlobalAveragePool", convert_global_average_pool},
    {"QuantizeLinear", convert_quantize_linear},
    {"Softmax", convert_softmax},
}};

}  // namespace

TensorDesc Conversion::held_desc(int i) const {
  return graph.desc(values.held(node.input(i)));
}

TensorDesc Conversion::file_desc(int i) const {
  TensorDesc desc = held_desc(i);
  if (values.order(node.input(i)) == Order::kFile) return desc;
  return {desc.dtype, {desc.shape[0], desc.shape[3], desc.shape[1], desc.shape[2]}};
}

void Conversion::check_float(int i) const {
  const TensorDesc desc = held_desc(i);
  if (desc.dtype == DType::kFloat32) return;
  node.fail_unsupported(
      cat("takes ", to_string(desc), "; only float32 is supported: convert the model to it"));
}

Value Conversion::picture(int i) const {
  check_float(i);
  const TensorDesc desc = held_desc(i);
  if (desc.shape.size() != 4) {
    node.fail_unsupported(cat(
        "takes ", to_string(file_desc(i)), "; only two-dimensional pictures (NCHW) are supported"));
  }
  return values.in_nhwc(node.input(i));
}

void Conversion::define(Op op, std::vector<Value> inputs, Order order) const {
  const Value value = graph.add(std::move(op), std::move(inputs), node.output());
  values.define(node.output(), value, order);
}

Value Conversion::add_constant(Constant constant, std::string_view what) const {
  return graph.add(std::move(constant), {}, values.free_name(node.output(), what));
}

Converter* find_converter(std::string_view op_type) {
  const auto* found = std::find_if(kConverters.begin(), kConverters.end(), [&](const auto& entry) {
    return entry.first == op_type;
  });
  return found == kConverters.end() ? nullptr : found->second;
}

}  // namespace fovea::onnx
