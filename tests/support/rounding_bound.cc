#include "tests/support/rounding_bound.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "engine/core/require.h"

namespace fovea::test {

namespace {

constexpr double kRounding = 0x1p-24;

template <typename T>
std::vector<T> elements(const Bytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

double largest(const std::vector<float>& values) {
  double most = 0.0;
  for (const float value : values) most = std::max(most, std::abs(static_cast<double>(value)));
  return most;
}

/// One node's bound from those of the nodes before it.
class NodeBound {
 public:
  NodeBound(const Graph& graph,
            const NodeValues& values,
            const std::vector<double>& bounds,
            const Node& node,
            double unit)
      : graph_(graph), values_(values), bounds_(bounds), node_(node), unit_(unit) {}

  // Sums of products.
  double operator()(const Conv2d& conv) const {
    return sums({off(0), size(0)}, 1, conv.bias, conv.residual).bound;
  }

  double operator()(const SeparableConv2d& separable) const {
    const Bounded between = sums({off(0), size(0)}, 1, separable.depthwise.bias, false);
    return sums(between,
                separable.depthwise_inputs(),
                separable.pointwise.bias,
                separable.pointwise.residual)
        .bound;
  }

  double operator()(const Dense& dense) const {
    return sums({off(0), size(0)}, 1, dense.bias, false).bound;
  }

  double operator()(const BatchNorm& norm) const {
    const auto gamma = floats(1);
    const auto variance = floats(4);
    double scale = 0.0;
    for (std::size_t c = 0; c < gamma.size(); ++c) {
      scale = std::max(scale, std::abs(gamma[c]) / std::sqrt(variance[c] + norm.epsilon));
    }
    return scale * off(0) + unit_ * (scale * (size(0) + size(3)) + size(2));
  }

  double operator()(const Lrn& lrn) const {
    const double slope = 1.0 + 2.0 * lrn.beta * lrn.alpha * size(0) * size(0) / lrn.bias;
    const double least = std::pow(lrn.bias, -lrn.beta);
    return least * (slope * off(0) + unit_ * size(0));
  }

  double operator()(const Softmax& /*softmax*/) const {
    return off(0) > 0.1 ? 1.0 : 3.0 * off(0) + unit_;
  }

  double operator()(const TopK& topk) const { return topk.softmax ? (*this)(Softmax{}) : off(0); }

  double operator()(const Add& /*add*/) const {
    return off(0) + off(1) + unit_ * (size(0) + size(1));
  }

  double operator()(const Mul& /*mul*/) const {
    return size(0) * off(1) + size(1) * off(0) + off(0) * off(1) + unit_ * size(0) * size(1);
  }

  double operator()(const Rescale& rescale) const {
    const double scale = std::abs(rescale.scale);
    return scale * off(0) + unit_ * (scale * size(0) + std::abs(rescale.offset));
  }

  double operator()(const NormalizeImage& normalize) const {
    return normalized(normalize.constants);
  }

  double operator()(const ResizeNormalize& both) const { return normalized(both.constants); }

  // Where a value lies at a step, an error of any size takes it to the next one.
  double operator()(const QuantizeLinear& /*quantize*/) const {
    if (off(0) == 0.0) return 0.0;
    const auto scales = floats(1);
    return off(0) / *std::ranges::min_element(scales) + 1.0;
  }

  double operator()(const Cast& cast) const {
    const double x = off(0);
    if (x == 0.0 || cast.to == DType::kFloat32) return x;
    if (cast.to == DType::kFloat16) return x + size(0) * 0x1p-10;
    if (cast.to == DType::kBFloat16) return x + size(0) * 0x1p-7;
    return x + 1.0;
  }

  double operator()(const DequantizeLinear& /*dequantize*/) const { return size(1) * off(0); }

  // Means, and functions of one argument whose slope is at most 1.
  double operator()(const AveragePool& /*pool*/) const { return off(0) + unit_ * size(0); }

  double operator()(const GlobalPool& /*pool*/) const { return off(0) + unit_ * size(0); }

  double operator()(const Tanh& /*tanh*/) const { return off(0) + unit_; }

  double operator()(const Sigmoid& /*sigmoid*/) const { return off(0) + unit_; }

  /// Whatever only selects or moves elements.
  template <typename OpT>
  double operator()(const OpT& /*op*/) const {
    double most = 0.0;
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) most = std::max(most, off(i));
    return most;
  }

 private:
  [[nodiscard]] double off(std::size_t input) const {
    return bounds_[static_cast<std::size_t>(node_.inputs[input].node)];
  }

  [[nodiscard]] double normalized(const NormalizationConstants& constants) const {
    double most = 0.0;
    for (std::size_t c = 0; c < 3; ++c) {
      const double terms = 255.0 / std::abs(constants.divisor) + std::abs(constants.mean[c]);
      most = std::max(most, terms / std::abs(constants.scale[c]));
    }
    return unit_ * most;
  }

  [[nodiscard]] std::vector<float> floats(std::size_t input) const {
    const Value value = node_.inputs[input];
    if (graph_.desc(value).dtype != DType::kFloat32) return {};
    return elements<float>(
        values_[static_cast<std::size_t>(value.node)][static_cast<std::size_t>(value.output)]);
  }

  /// The largest magnitude of an input.
  [[nodiscard]] double size(std::size_t input) const { return largest(floats(input)); }

  /// How far values may be off, and their largest magnitude.
  struct Bounded {
    double bound;
    double size;
  };

  /// Sums of products of x with the weights that are that input; a bias is the next one, a residual
  /// the last.
  [[nodiscard]] Bounded sums(Bounded x, std::size_t input, bool bias, bool residual) const {
    const auto weights = floats(input);
    const auto rows = static_cast<std::size_t>(graph_.desc(node_.inputs[input]).shape[0]);
    const std::size_t taps = weights.size() / rows;
    double gain = 0.0;
    for (std::size_t row = 0; row < rows; ++row) {
      double sum = 0.0;
      for (std::size_t i = 0; i < taps; ++i) sum += std::abs(weights[row * taps + i]);
      gain = std::max(gain, sum);
    }
    double bound = gain * x.bound;
    double terms = gain * x.size;
    if (bias) terms += size(input + 1);
    if (residual) {
      bound += off(node_.inputs.size() - 1);
      terms += size(node_.inputs.size() - 1);
    }
    return {bound + unit_ * terms, terms};
  }

  const Graph& graph_;
  const NodeValues& values_;
  const std::vector<double>& bounds_;
  const Node& node_;
  double unit_;
};

/// Compares float32 values.
std::optional<std::string> far_off(const Bytes& expected, const Bytes& actual, double bound) {
  const auto want = elements<float>(expected);
  const auto got = elements<float>(actual);
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (std::isnan(want[i]) && std::isnan(got[i])) continue;
    const double off = std::abs(static_cast<double>(got[i]) - want[i]);
    if (want[i] == got[i] || off <= bound) continue;
    return cat("element ",
               i,
               " is ",
               got[i],
               ", not ",
               want[i],
               ": off by ",
               off / bound,
               " times what rounding allows");
  }
  return std::nullopt;
}

/// Compares the indices of a TopK by the elements that they name.
std::optional<std::string> another_choice(const std::vector<float>& x,
                                          const Bytes& expected,
                                          const Bytes& actual,
                                          std::size_t rows,
                                          double bound) {
  const auto want = elements<std::int32_t>(expected);
  const auto got = elements<std::int32_t>(actual);
  const std::size_t k = want.size() / rows;
  const std::size_t columns = x.size() / rows;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i] == got[i]) continue;
    const auto element = [&](std::int32_t index) {
      return static_cast<double>(x.at(i / k * columns + static_cast<std::size_t>(index)));
    };
    if (std::abs(element(got[i]) - element(want[i])) > 2.0 * bound) {
      return cat("index ", i, " is ", got[i], ", not ", want[i]);
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<double> rounding_bounds(const Graph& graph,
                                    const NodeValues& values,
                                    double roundings) {
  std::vector<double> bounds;
  bounds.reserve(graph.nodes().size());
  std::vector<bool> known;  // what needs no input is computed as it always was
  for (const Node& node : graph.nodes()) {
    known.push_back(node.as<Input>() == nullptr &&
                    std::ranges::all_of(node.inputs, [&](const Value& input) {
                      return known[static_cast<std::size_t>(input.node)];
                    }));
    const NodeBound bound(graph, values, bounds, node, roundings * kRounding);
    bounds.push_back(known.back() ? 0.0 : std::visit(bound, node.op));
  }
  return bounds;
}

std::optional<std::string> mismatch(const Graph& graph,
                                    const NodeValues& values,
                                    const std::vector<double>& bounds,
                                    Value output,
                                    const Bytes& actual) {
  const auto node = static_cast<std::size_t>(output.node);
  const Bytes& expected = values[node][static_cast<std::size_t>(output.output)];
  if (expected.size() != actual.size()) return "the size is another one";
  if (graph.desc(output).dtype == DType::kFloat32) return far_off(expected, actual, bounds[node]);
  require(graph.node(output).as<TopK>() != nullptr, "only float32 values and indices are compared");
  const Value input = graph.node(output).inputs[0];
  const auto x = elements<float>(values[static_cast<std::size_t>(input.node)][0]);
  return another_choice(
      x, expected, actual, static_cast<std::size_t>(graph.desc(input).shape[0]), bounds[node]);
}

}  // namespace fovea::test
