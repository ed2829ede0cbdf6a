#include "engine/graph/work.h"

#include <variant>

#include "engine/core/require.h"

namespace fovea {

namespace {

std::int64_t as_flops(bool has) {
  return has ? 1 : 0;
}

std::int64_t as_flops(const Activation& activation) {
  return as_flops(activation.kind != ActivationKind::kNone);
}

/// Of a Conv2d or Dense: products that one element of the output sums, which is what one output
/// channel's weights hold.
std::int64_t terms(const Graph& graph, const Node& node) {
  const Shape& weights = graph.desc(node.inputs[1]).shape;
  std::int64_t product = 1;
  for (std::size_t i = 1; i < weights.size(); ++i) product *= weights[i];
  return product;
}

/// Exponential, sum, quotient.
constexpr std::int64_t kSoftmax = 3;

/// Operations for one element of the output, of each operator that needs others than one.
struct PerElement {
  const Graph& graph;
  const Node& node;

  std::int64_t operator()(const Conv2d& conv) const {
    const std::int64_t applied = conv.activation_channels == 0 ? as_flops(conv.activation) : 0;
    return 2 * terms(graph, node) + as_flops(conv.bias) + as_flops(conv.residual) + applied;
  }

  std::int64_t operator()(const Dense& dense) const {
    return 2 * terms(graph, node) + as_flops(dense.bias) + as_flops(dense.activation);
  }

  std::int64_t operator()(const Add& add) const { return 1 + as_flops(add.activation); }

  std::int64_t operator()(const MaxPool& pool) const { return pool.kernel[0] * pool.kernel[1]; }

  std::int64_t operator()(const AveragePool& pool) const {
    return pool.kernel[0] * pool.kernel[1] + as_flops(pool.activation);
  }

  std::int64_t operator()(const GlobalPool& /*pool*/) const {
    const Shape& x = graph.desc(node.inputs[0]).shape;
    return x[1] * x[2];
  }

  std::int64_t operator()(const Lrn& lrn) const { return 2 * lrn.size; }

  std::int64_t operator()(const BatchNorm& /*norm*/) const { return 2; }

  std::int64_t operator()(const Rescale& /*rescale*/) const { return 2; }

  std::int64_t operator()(const NormalizeImage& /*normalize*/) const { return 2; }

  /// Of NormalizeImage and ResizeImage.
  std::int64_t operator()(const ResizeNormalize& /*both*/) const { return 2 + 1; }

  std::int64_t operator()(const DequantizeLinear& /*dequantize*/) const { return 2; }

  std::int64_t operator()(const QuantizeLinear& /*quantize*/) const { return 2; }

  std::int64_t operator()(const Softmax& /*softmax*/) const { return kSoftmax; }

  /// Of every element that is ranked.
  std::int64_t operator()(const TopK& topk) const { return 1 + (topk.softmax ? kSoftmax : 0); }

  // These move elements.
  std::int64_t operator()(const Input& /*input*/) const { return 0; }

  std::int64_t operator()(const Constant& /*constant*/) const { return 0; }

  std::int64_t operator()(const Concat& /*concat*/) const { return 0; }

  std::int64_t operator()(const Slice& /*slice*/) const { return 0; }

  std::int64_t operator()(const Pad& /*pad*/) const { return 0; }

  std::int64_t operator()(const Reshape& /*reshape*/) const { return 0; }

  std::int64_t operator()(const Transpose& /*transpose*/) const { return 0; }

  std::int64_t operator()(const Cast& /*cast*/) const { return 0; }

  std::int64_t operator()(const Identity& /*identity*/) const { return 0; }

  template <typename OtherOp>
  std::int64_t operator()(const OtherOp& /*op*/) const {
    return 1;
  }
};

}  // namespace

std::int64_t multiply_adds(const Graph& graph) {
  std::int64_t sum = 0;
  for (const Node& node : graph.nodes()) {
    if (node.as<Conv2d>() == nullptr && node.as<Dense>() == nullptr) continue;
    std::int64_t values = 1;
    const Shape& output = node.outputs[0].shape;
    for (std::size_t i = 1; i < output.size(); ++i) values *= output[i];
    sum += values * terms(graph, node);
  }
  return sum;
}

std::int64_t flops(const Graph& graph, const Node& node) {
  require(!has_batch(node.outputs[0]), "operations are counted for a concrete batch");
  // A TopK looks at every element of its rows once.
  const TensorDesc& counted =
      node.as<TopK>() != nullptr ? graph.desc(node.inputs[0]) : node.outputs[0];
  std::int64_t count = num_elements(counted.shape) * std::visit(PerElement{graph, node}, node.op);
  if (const auto* conv = node.as<Conv2d>()) {
    const std::int64_t read = num_elements(graph.desc(node.inputs[0]).shape);
    count += read * as_flops(conv->input_activation != ActivationKind::kNone);
    const std::int64_t pixels = num_elements(counted.shape) / counted.shape[3];
    count += pixels * conv->activation_channels * as_flops(conv->activation);
  }
  return count;
}

}  // namespace fovea
