#include "engine/import_worker/onnx/converters.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea::onnx {

namespace {

constexpr std::array<std::pair<std::string_view, Converter*>, 27> kConverters{{
    {"Add", convert_add},
    {"AveragePool", convert_average_pool},
    {"BatchNormalization", convert_batch_normalization},
    {"Clip", convert_clip},
    {"Concat", convert_concat},
    {"Constant", convert_constant},
    {"ConstantOfShape", convert_constant_of_shape},
    {"Conv", convert_conv},
    {"DequantizeLinear", convert_dequantize_linear},
    {"Dropout", convert_dropout},
    {"Flatten", convert_flatten},
    {"Gemm", convert_gemm},
    {"GlobalAveragePool", convert_global_average_pool},
    {"Identity", convert_identity},
    {"LRN", convert_lrn},
    {"MatMul", convert_mat_mul},
    {"MaxPool", convert_max_pool},
    {"Mul", convert_mul},
    {"Pad", convert_pad},
    {"QuantizeLinear", convert_quantize_linear},
    {"Relu", convert_relu},
    {"Reshape", convert_reshape},
    {"Softmax", convert_softmax},
    {"Squeeze", convert_squeeze},
    {"Sum", convert_sum},
    {"Transpose", convert_transpose},
    {"Unsqueeze", convert_unsqueeze},
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

std::vector<std::int64_t> Conversion::integers(int i, std::string_view what) const {
  const Constant* constant = values.constant(node.input(i));
  if (constant == nullptr) {
    node.fail_unsupported(cat("computes its '", what, "'; only a constant one is supported"));
  }
  if (constant->desc.dtype != DType::kInt64 || constant->desc.shape.size() != 1) {
    node.fail_corrupt(cat("has ", to_string(constant->desc), " for its '", what, "'"));
  }
  std::vector<std::int64_t> list(static_cast<std::size_t>(constant->desc.shape[0]));
  std::memcpy(list.data(), constant->read().data(), list.size() * sizeof(std::int64_t));
  return list;
}

float Conversion::number(int i, std::string_view what) const {
  check_float(i);
  const Constant* constant = values.constant(node.input(i));
  if (constant == nullptr || num_elements(constant->desc.shape) != 1) {
    node.fail_unsupported(cat("has a '", what, "' that is no constant number"));
  }
  const PinnedBytes bytes = constant->read();
  const ConstTensorView view{&constant->desc, bytes.data()};
  return view.floats()[0];
}

std::pair<std::vector<Value>, Order> Conversion::operands() const {
  bool pictures = false;
  for (int i = 0; i < node.input_count(); ++i) {
    pictures |= values.order(node.input(i)) == Order::kNhwc;
  }
  std::vector<Value> inputs;
  for (int i = 0; i < node.input_count(); ++i) {
    const std::string& x = node.input(i);
    const bool turned = pictures && held_desc(i).shape.size() == 4;
    inputs.push_back(turned ? values.in_nhwc(x) : values.in_file_order(x));
  }
  return {std::move(inputs), pictures ? Order::kNhwc : Order::kFile};
}

void Conversion::refuse_output(int i, std::string_view what) const {
  const std::string name = node.further_output(i);
  if (name.empty()) return;
  values.refuse(name,
                cat("'",
                    printable(name),
                    "' is used, which ",
                    node.label(),
                    " gives for ",
                    what,
                    "; that is not supported: export the model without it"));
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
