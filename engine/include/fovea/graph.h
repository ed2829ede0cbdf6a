// Building networks in C++, in the terms and with the semantics of Keras.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fovea/types.h>

namespace fovea {

class Graph;
class GraphBuilder;
struct Precompiled;

/// A value of a network that is being built; it belongs to the builder that made it. A default
/// Tensor is no value, and every method refuses it.
class Tensor {
 public:
  Tensor() = default;

  bool operator==(const Tensor&) const = default;

 private:
  friend class GraphBuilder;

  Tensor(std::int32_t node, std::int32_t output) : node_(node), output_(output) {}

  std::int32_t node_ = -1;
  std::int32_t output_ = 0;
};

/// A finished network: nodes, shapes and named parameters, without or with weights. Immutable and
/// cheap to copy; copies share the network. Safe to use from many threads. A default ModelGraph is
/// empty, and whatever takes a network refuses it.
class ModelGraph {
 public:
  ModelGraph() = default;

  [[nodiscard]] bool empty() const { return graph_ == nullptr; }

 private:
  friend struct ModelGraphAccess;

  ModelGraph(std::shared_ptr<const Graph> graph, std::shared_ptr<const Precompiled> precompiled)
      : graph_(std::move(graph)), precompiled_(std::move(precompiled)) {}

  std::shared_ptr<const Graph> graph_;
  std::shared_ptr<const Precompiled> precompiled_;  ///< of a network from a plan file; else null
};

/// Multiply-adds of all convolutions and dense layers for one picture, counted as direct
/// convolutions; the other layers' work is small beside theirs and not counted.
[[nodiscard]] std::int64_t multiply_adds(const ModelGraph& graph);

/// Keras's activations by name: "linear" changes nothing, relu6(x) = min(max(x, 0), 6), softmax is
/// over the last dimension.
enum class ActivationFunction : std::uint8_t { kLinear, kRelu, kRelu6, kTanh, kSigmoid, kSoftmax };

enum class PaddingMode : std::uint8_t { kValid, kSame, kExplicit };

/// What is added around a picture before a window moves over it. Convolutions see zeros there;
/// pooling does not see it at all: max takes the largest, average the mean of the picture's own
/// elements under the window.
struct Padding {
  PaddingMode mode = PaddingMode::kValid;
  std::array<std::int64_t, 4> pads{0, 0, 0, 0};  ///< top, left, bottom, right; only for kExplicit

  /// Nothing: floor((size - window) / stride) + 1 positions.
  [[nodiscard]] static Padding valid() { return {}; }

  /// ceil(size / stride) positions, as Keras and TensorFlow: an odd element goes after.
  [[nodiscard]] static Padding same() { return {PaddingMode::kSame, {0, 0, 0, 0}}; }

  /// So many rows and columns: top, left, bottom, right, each >= 0.
  [[nodiscard]] static Padding of(const std::array<std::int64_t, 4>& pads) {
    return {PaddingMode::kExplicit, pads};
  }
};

/// Conv2D. Sizes are rows, columns.
struct Conv2dSpec {
  std::int64_t filters = 0;                   ///< output channels, >= 1, divisible by groups
  std::array<std::int64_t, 2> kernel{1, 1};   ///< elements, >= 1
  std::array<std::int64_t, 2> strides{1, 1};  ///< elements, >= 1
  Padding padding{};
  std::array<std::int64_t, 2> dilation{1, 1};  ///< elements, >= 1
  std::int64_t groups = 1;                     ///< a divisor of the input's channels
  bool use_bias = true;
  ActivationFunction activation = ActivationFunction::kLinear;
};

/// DepthwiseConv2D with depth_multiplier 1. Sizes are rows, columns.
struct DepthwiseConv2dSpec {
  std::array<std::int64_t, 2> kernel{1, 1};   ///< elements, >= 1
  std::array<std::int64_t, 2> strides{1, 1};  ///< elements, >= 1
  Padding padding{};
  std::array<std::int64_t, 2> dilation{1, 1};  ///< elements, >= 1
  bool use_bias = true;
  ActivationFunction activation = ActivationFunction::kLinear;
};

/// SeparableConv2D with depth_multiplier 1: a depthwise convolution, then one of 1 x 1 across the
/// channels. Sizes are rows, columns, of the depthwise half.
struct SeparableConv2dSpec {
  std::int64_t filters = 0;                   ///< output channels, >= 1
  std::array<std::int64_t, 2> kernel{1, 1};   ///< elements, >= 1
  std::array<std::int64_t, 2> strides{1, 1};  ///< elements, >= 1
  Padding padding{};
  std::array<std::int64_t, 2> dilation{1, 1};  ///< elements, >= 1
  bool use_bias = true;                        ///< of the 1 x 1 half
  ActivationFunction activation = ActivationFunction::kLinear;
};

/// Dense.
struct DenseSpec {
  std::int64_t units = 0;  ///< output features, >= 1
  bool use_bias = true;
  ActivationFunction activation = ActivationFunction::kLinear;
};

/// BatchNormalization over the last dimension, with the stored statistics.
struct BatchNormSpec {
  double epsilon = 1e-3;  ///< added to the variance, >= 0
  bool scale = true;      ///< has a parameter gamma; otherwise gamma is 1
  bool center = true;     ///< has a parameter beta; otherwise beta is 0
};

/// MaxPooling2D and AveragePooling2D. Sizes are rows, columns.
struct Pool2dSpec {
  std::array<std::int64_t, 2> pool_size{2, 2};  ///< elements, >= 1
  std::optional<std::array<std::int64_t, 2>> strides =
      std::nullopt;  ///< elements, >= 1; pool_size where absent
  Padding padding{};
};

/// Local response normalisation across channels, as Caffe's LRN.
struct LocalResponseNormSpec {
  std::int64_t size = 5;  ///< channels in a window, >= 1
  double alpha = 1e-4;    ///< >= 0; divided by size, other than in TensorFlow
  double beta = 0.75;
  double bias = 1.0;  ///< > 0
};

/// Builds a network layer by layer: what Keras's functional API is in Python. Activations are
/// float32; pictures are {batch, height, width, channels}, and the batch is left open.
///
///   GraphBuilder net;
///   Tensor x = net.input({28, 28, 1}, "input");
///   x = net.conv2d(x, {.filters = 6, .kernel = {5, 5}, .padding = Padding::same()}, "c1");
///   x = net.global_average_pool2d(x, "pool");
///   net.output(net.dense(x, {.units = 10}, "logits"));
///   const ModelGraph model = net.build();
///
/// Every layer has a name that no other layer or parameter has; its result is called the same. A
/// layer with an activation also has a value "<name>/pre_activation". Weights are declared, not
/// given: they are called "<layer>/<weight>" and shaped as in Keras 3 ("c1/kernel" is
/// {rows, columns, in, out}), and are filled when the model is opened.
///
/// Every method throws InvalidArgument that names the layer: for a name that is taken, for a
/// Tensor that is no value, and for an input of a shape that the layer does not take.
/// Not thread-safe. A builder that was moved from can only be destroyed or assigned to.
class GraphBuilder {
 public:
  GraphBuilder();
  ~GraphBuilder();
  GraphBuilder(const GraphBuilder&) = delete;
  GraphBuilder& operator=(const GraphBuilder&) = delete;
  GraphBuilder(GraphBuilder&&) noexcept;
  GraphBuilder& operator=(GraphBuilder&&) noexcept;

  /// A float32 input of {batch, shape...}: for pictures {height, width, channels}, after
  /// preprocessing.
  Tensor input(const Shape& shape, std::string_view name);

  /// An input that is none of the network's layers: that of Keras's Sequential.
  Tensor sequential_input(const Shape& shape, std::string_view name);

  /// A float32 parameter without data, of a concrete shape.
  Tensor parameter(std::string_view name, const Shape& shape);

  /// x {batch, rows, columns, in}; parameters kernel {rows, columns, in / groups, filters} and,
  /// where use_bias, bias {filters}.
  Tensor conv2d(Tensor x, const Conv2dSpec& spec, std::string_view name);

  /// x {batch, rows, columns, channels}; parameters kernel {rows, columns, channels, 1} and, where
  /// use_bias, bias {channels}.
  Tensor depthwise_conv2d(Tensor x, const DepthwiseConv2dSpec& spec, std::string_view name);

  /// x {batch, rows, columns, channels}; parameters depthwise_kernel {rows, columns, channels, 1},
  /// pointwise_kernel {1, 1, channels, filters} and, where use_bias, bias {filters}. The value
  /// between the halves is called "<name>/depthwise".
  Tensor separable_conv2d(Tensor x, const SeparableConv2dSpec& spec, std::string_view name);

  /// x {batch, in}; parameters kernel {in, units} and, where use_bias, bias {units}.
  Tensor dense(Tensor x, const DenseSpec& spec, std::string_view name);

  /// x {batch, ..., channels}; parameters gamma where scale, beta where center, moving_mean,
  /// moving_variance, each {channels}.
  Tensor batch_norm(Tensor x, const BatchNormSpec& spec, std::string_view name);

  Tensor activation(Tensor x, ActivationFunction function, std::string_view name);

  /// x {batch, rows, columns, channels}.
  Tensor max_pool2d(Tensor x, const Pool2dSpec& spec, std::string_view name);

  /// x {batch, rows, columns, channels}.
  Tensor average_pool2d(Tensor x, const Pool2dSpec& spec, std::string_view name);

  /// x {batch, rows, columns, channels}; the result is {batch, channels}.
  Tensor global_average_pool2d(Tensor x, std::string_view name);

  /// x {batch, rows, columns, channels}; every element x[c] becomes
  /// x[c] / (bias + alpha / size * s)^beta, s the sum of squares of the `size` channels around c as
  /// far as there are some.
  Tensor local_response_norm(Tensor x, const LocalResponseNormSpec& spec, std::string_view name);

  /// x {batch, rows, columns, channels}; zeros at top, left, bottom, right, each >= 0.
  Tensor zero_padding2d(Tensor x, const std::array<std::int64_t, 4>& pads, std::string_view name);

  /// a + b; b has a's shape, or is {channels} or {1}.
  Tensor add(Tensor a, Tensor b, std::string_view name);

  /// a * b; b has a's shape, or is {channels} or {1}.
  Tensor multiply(Tensor a, Tensor b, std::string_view name);

  /// The inputs one after the other along `axis`, counted from the end where negative; never along
  /// the batch.
  Tensor concatenate(const std::vector<Tensor>& inputs, std::string_view name, int axis = -1);

  /// x {batch, ...} as {batch, elements}, in row-major order.
  Tensor flatten(Tensor x, std::string_view name);

  /// Over the last dimension.
  Tensor softmax(Tensor x, std::string_view name);

  /// What the value is: float32 and its shape, with kBatch for the batch.
  [[nodiscard]] TensorDesc desc(Tensor x) const;

  /// Makes a value an output of the network, under `name` or, where that is empty, its own. No two
  /// outputs may be called the same.
  void output(Tensor x, std::string_view name = {});

  /// The network; at least one output is needed. Leaves the builder empty, as after construction.
  [[nodiscard]] ModelGraph build();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea
