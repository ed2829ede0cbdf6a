// Gemm, MatMul, as far as they are a fully connected layer.
#include "engine/core/require.h"
#include "engine/import_worker/onnx/converters.h"

namespace fovea::onnx {

namespace {

/// The third input as a Dense bias of `count` elements. The format lets it be spread over the rows
/// in several shapes; a constant of one row is taken as such.
Value bias(const Conversion& conversion, std::int64_t count) {
  const OnnxNode& node = conversion.node;
  conversion.check_float(2);
  const TensorDesc& desc = conversion.held_desc(2);
  if (desc.shape == Shape{count}) return conversion.values.in_file_order(node.input(2));
  const Constant* constant = conversion.values.constant(node.input(2));
  if (constant == nullptr || desc.shape != Shape{1, count}) {
    node.fail_unsupported(cat("adds ", to_string(desc), " to its rows of ", count, " numbers"));
  }
  return conversion.add_constant({{desc.dtype, {count}}, constant->data}, "bias");
}

/// Defines the output as a fully connected layer; the second operand is [outputs, inputs] where it
/// is `transposed`, else [inputs, outputs].
void define_dense(const Conversion& conversion, bool transposed) {
  OnnxNode& node = conversion.node;
  if (conversion.held_desc(1).shape.size() != 2) {
    node.fail_corrupt(cat("multiplies by ", to_string(conversion.file_desc(1))));
  }
  if (has_batch(conversion.held_desc(1))) {
    node.fail_unsupported("multiplies by what it computes for every picture");
  }
  const Value x = conversion.values.in_file_order(node.input(0));
  const Value weights = transposed ? conversion.values.in_file_order(node.input(1))
                                   : conversion.values.permuted_weight(node.input(1), {1, 0});
  const std::int64_t count = conversion.graph.desc(weights).shape[0];
  std::vector<Value> inputs{x, weights};
  if (node.has_input(2)) inputs.push_back(bias(conversion, count));
  const Dense dense{.bias = inputs.size() == 3};
  conversion.define(dense, std::move(inputs), Order::kFile);
}

}  // namespace

void convert_gemm(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(2, 3);
  conversion.check_float(0);
  conversion.check_float(1);
  if (node.real("alpha", 1.0F) != 1.0F || node.real("beta", 1.0F) != 1.0F) {
    node.fail_unsupported("scales its operands by 'alpha' or 'beta', which is not supported");
  }
  if (node.integer("transA", 0) != 0) {
    node.fail_unsupported("transposes its first operand, which is not supported");
  }
  define_dense(conversion, node.integer("transB", 0) != 0);
}

void convert_mat_mul(const Conversion& conversion) {
  OnnxNode& node = conversion.node;
  node.check_counts(2, 2);
  conversion.check_float(0);
  conversion.check_float(1);
  for (const int i : {0, 1}) {
    if (conversion.held_desc(i).shape.size() == 2) continue;
    node.fail_unsupported(cat("multiplies ",
                              to_string(conversion.file_desc(0)),
                              " by ",
                              to_string(conversion.file_desc(1)),
                              "; only rows by a matrix are supported"));
  }
  define_dense(conversion, false);
}

}  // namespace fovea::onnx
