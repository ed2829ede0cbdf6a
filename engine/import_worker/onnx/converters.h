// The operators of ONNX that become operators of ours.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/import_worker/onnx/onnx_node.h"
#include "engine/import_worker/onnx/value_table.h"

namespace fovea::onnx {

/// One node on its way into the graph.
struct Conversion {
  Graph& graph;
  ValueTable& values;
  OnnxNode& node;
  std::int64_t declared_batch = 0;  ///< pictures at a time, as the file says; 0: any number

  /// The i-th input's description, in the order of dimensions that it is held in.
  [[nodiscard]] TensorDesc held_desc(int i) const;

  /// The same in the order of the file, for messages.
  [[nodiscard]] TensorDesc file_desc(int i) const;

  /// The i-th input as a float32 picture in NHWC. Throws model/unsupported-op for anything else.
  [[nodiscard]] Value picture(int i) const;

  /// Throws model/unsupported-op unless the i-th input is float32.
  void check_float(int i) const;

  /// The i-th input, which must be a constant list of int64 or a single float32; the file calls it
  /// `what`. Throw model/unsupported-op where it is computed, model/corrupt where it is neither.
  [[nodiscard]] std::vector<std::int64_t> integers(int i, std::string_view what) const;
  [[nodiscard]] float number(int i, std::string_view what) const;

  /// All inputs, in the order that the result is to have: pictures as NHWC where one of them is
  /// held so, else everything as in the file.
  [[nodiscard]] std::pair<std::vector<Value>, Order> operands() const;

  /// The i-th output is refused where it is used; `what` says what it would be.
  void refuse_output(int i, std::string_view what) const;

  /// Adds the operator under the name of the node's output, and defines that.
  void define(Op op, std::vector<Value> inputs, Order order) const;

  /// Adds a Constant that the file does not have, named after the node's output.
  [[nodiscard]] Value add_constant(Constant constant, std::string_view what) const;
};

/// Reads all of the node and defines its output. Throws Error: model/unsupported-op for a form that
/// we have no operator for, model/corrupt for one that the format forbids; InvalidArgument where
/// the graph refuses the operator's inputs.
using Converter = void(const Conversion& conversion);

Converter convert_add;
Converter convert_average_pool;
Converter convert_batch_normalization;
Converter convert_clip;
Converter convert_concat;
Converter convert_constant;
Converter convert_constant_of_shape;
Converter convert_conv;
Converter convert_dequantize_linear;
Converter convert_dropout;
Converter convert_flatten;
Converter convert_gemm;
Converter convert_global_average_pool;
Converter convert_identity;
Converter convert_lrn;
Converter convert_mat_mul;
Converter convert_max_pool;
Converter convert_mul;
Converter convert_pad;
Converter convert_quantize_linear;
Converter convert_relu;
Converter convert_reshape;
Converter convert_softmax;
Converter convert_squeeze;
Converter convert_sum;
Converter convert_transpose;
Converter convert_unsqueeze;

/// The converter of that operator of the domain "ai.onnx", or nullptr.
[[nodiscard]] Converter* find_converter(std::string_view op_type);

}  // namespace fovea::onnx
