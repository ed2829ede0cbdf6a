#include "engine/graph/work.h"

#include <variant>
#include <vector>

#include "engine/core/require.h"

namespace fovea {

namespace {

std::int64_t as_flops(bool has) {
  return has ? 1 : 0;
}

std::int64_t as_flops(const Activation& activation) {
  return as_flops(activation.kind != ActivationKind::kNone);
}

/// Products that one element of the output sums, which is what one output channel's weights hold.
std::int64_t terms(const Shape& weights) {
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

  std::int64_t operator()(const Dense& dense) const {
    return 2 * terms(graph.desc(node.inputs[1]).shape) + as_flops(dense.bias) +
           as_flops(dense.activation);
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

/// Of a convolution of x with these weights to y.
std::int64_t flops_of(const Conv2d& conv, const Shape& x, const Shape& weights, const Shape& y) {
  const std::int64_t applied = conv.activation_channels == 0 ? as_flops(conv.activation) : 0;
  const std::int64_t per_element =
      2 * terms(weights) + as_flops(conv.bias) + as_flops(conv.residual) + applied;
  const std::int64_t elements = num_elements(y);
  const std::int64_t partly =
      elements / y[3] * conv.activation_channels * as_flops(conv.activation);
  const std::int64_t read =
      num_elements(x) * as_flops(conv.input_activation != ActivationKind::kNone);
  return elements * per_element + partly + read;
}

/// What both parts of a SeparableConv2d have to do with, all of concrete shape.
struct SeparableShapes {
  Shape x;
  Shape depthwise_weights;
  Shape between;
  Shape pointwise_weights;
};

SeparableShapes shapes_of(const SeparableConv2d& separable, const Graph& graph, const Node& node) {
  std::vector<TensorDesc> inputs;
  inputs.reserve(node.inputs.size());
  for (const Value& input : node.inputs) inputs.push_back(graph.desc(input));
  return {inputs[0].shape,
          inputs[1].shape,
          separable.between(inputs).shape,
          inputs[separable.depthwise_inputs()].shape};
}

/// Products that a picture's values of this shape sum.
std::int64_t products(const Shape& y, const Shape& weights) {
  std::int64_t values = 1;
  for (std::size_t i = 1; i < y.size(); ++i) values *= y[i];
  return values * terms(weights);
}

}  // namespace

std::int64_t multiply_adds(const Graph& graph) {
  std::int64_t sum = 0;
  for (const Node& node : graph.nodes()) {
    const Shape& y = node.outputs[0].shape;
    if (const auto* separable = node.as<SeparableConv2d>()) {
      const SeparableShapes shapes = shapes_of(*separable, graph, node);
      sum += products(shapes.between, shapes.depthwise_weights) +
             products(y, shapes.pointwise_weights);
    } else if (node.as<Conv2d>() != nullptr || node.as<Dense>() != nullptr) {
      sum += products(y, graph.desc(node.inputs[1]).shape);
    }
  }
  return sum;
}

std::int64_t flops(const Graph& graph, const Node& node) {
  require(!has_batch(node.outputs[0]), "operations are counted for a concrete batch");
  const Shape& y = node.outputs[0].shape;
  if (const auto* conv = node.as<Conv2d>()) {
    return flops_of(*conv, graph.desc(node.inputs[0]).shape, graph.desc(node.inputs[1]).shape, y);
  }
  if (const auto* separable = node.as<SeparableConv2d>()) {
    const auto& [x, depthwise, between, pointwise] = shapes_of(*separable, graph, node);
    return flops_of(separable->depthwise, x, depthwise, between) +
           flops_of(separable->pointwise, between, pointwise, y);
  }
  // A TopK looks at every element of its rows once.
  const Shape& counted = node.as<TopK>() != nullptr ? graph.desc(node.inputs[0]).shape : y;
  return num_elements(counted) * std::visit(PerElement{graph, node}, node.op);
}

}  // namespace fovea
