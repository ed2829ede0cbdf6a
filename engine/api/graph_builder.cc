#include <algorithm>
#include <cstring>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fovea/graph.h>

#include "engine/api/model_graph.h"
#include "engine/core/require.h"
#include "engine/graph/graph.h"

namespace fovea {

namespace {

/// The operator that applies the function.
Op activation_op(ActivationFunction function) {
  switch (function) {
    case ActivationFunction::kLinear:
      return Identity{};
    case ActivationFunction::kRelu:
      return Relu{};
    case ActivationFunction::kRelu6:
      return Clip{.lo = 0.0F, .hi = 6.0F};
    case ActivationFunction::kTanh:
      return Tanh{};
    case ActivationFunction::kSigmoid:
      return Sigmoid{};
    case ActivationFunction::kSoftmax:
      return Softmax{};
  }
  throw InvalidArgument("not an ActivationFunction");
}

/// The window of a convolution or a pooling: rows, columns.
struct Window {
  std::array<std::int64_t, 2> kernel;
  std::array<std::int64_t, 2> strides;
  std::array<std::int64_t, 2> dilation;
};

/// Rows and columns to add to a picture {batch, rows, columns, channels}.
Pads resolve(const Padding& padding, const Shape& picture, const Window& window) {
  switch (padding.mode) {
    case PaddingMode::kValid:
      return {0, 0, 0, 0};
    case PaddingMode::kExplicit:
      return padding.pads;
    case PaddingMode::kSame:
      break;
  }
  const auto along = [&](std::size_t axis) {
    return same_padding(
        picture[axis + 1], window.kernel[axis], window.strides[axis], window.dilation[axis]);
  };
  const auto [top, bottom] = along(0);
  const auto [left, right] = along(1);
  return {top, left, bottom, right};
}

Input batched_input(const Shape& shape) {
  Shape batched{kBatch};
  batched.insert(batched.end(), shape.begin(), shape.end());
  return {.desc = {DType::kFloat32, std::move(batched)}};
}

std::shared_ptr<const Buffer> filled(std::int64_t count, float value) {
  const std::vector<float> values(static_cast<std::size_t>(count), value);
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return Buffer::from(std::move(bytes));
}

std::string child(std::string_view layer, std::string_view what) {
  return cat(layer, '/', what);
}

}  // namespace

struct GraphBuilder::Impl {
  Graph graph;
  std::unordered_set<std::string> names;

  static Tensor tensor(Value value) { return {value.node, value.output}; }

  static Value value(Tensor x) { return {x.node_, x.output_}; }

  /// The shape of x, an input of `layer`, which must have `rank` dimensions where that is not 0.
  const Shape& shape(Tensor x, std::string_view layer, std::size_t rank = 0) const {
    check(x.node_ >= 0 && x.node_ < graph.size(), layer, "its input is no value of this network");
    const TensorDesc& desc = graph.desc(value(x));
    check(rank == 0 || desc.shape.size() == rank,
          layer,
          cat("needs an input with ", rank, " dimensions, not ", to_string(desc)));
    return desc.shape;
  }

  static void check(bool condition, std::string_view layer, const std::string& message) {
    if (!condition) throw InvalidArgument(cat("layer '", layer, "': ", message));
  }

  static void check_window(const Window& window, std::string_view layer) {
    constexpr auto kMost = std::int64_t{1} << 30;  // products of two still fit
    for (const auto& sizes : {window.kernel, window.strides, window.dilation}) {
      check(std::min(sizes[0], sizes[1]) >= 1 && std::max(sizes[0], sizes[1]) <= kMost,
            layer,
            cat("window, strides and dilation must be from 1 to ", kMost));
    }
  }

  /// Appends a node whose name nothing else has.
  Value add(Op op, std::vector<Value> inputs, std::string name) {
    check(!name.empty(), name, "a layer needs a name");
    check(!names.contains(name), name, "the name is taken, choose another one");
    const Value result = graph.add(std::move(op), std::move(inputs), name);
    names.insert(std::move(name));
    return result;
  }

  void mark_output(Value value, std::string name) {
    if (name.empty()) name = value_name(graph, value);
    for (const GraphOutput& output : graph.outputs()) {
      check(output.name != name, name, "two outputs cannot be called the same");
    }
    graph.mark_output(value, std::move(name));
  }

  Value parameter(std::string name, const Shape& shape, bool trainable = true) {
    const Value value =
        add(Constant{.desc = {DType::kFloat32, shape}, .data = nullptr}, {}, std::move(name));
    graph.set_trainable(value.node, trainable);
    return value;
  }

  /// A convolution without activation over `picture`, its input; its window has been checked.
  template <typename Spec>
  static Conv2d convolution(const Spec& spec,
                            const Window& window,
                            const Shape& picture,
                            std::int64_t groups,
                            bool bias) {
    return {.strides = spec.strides,
            .dilations = spec.dilation,
            .pads = resolve(spec.padding, picture, window),
            .groups = groups,
            .bias = bias,
            .activation = {}};
  }

  /// A parameter of a layer in Keras's layout, transposed to the operator's.
  Value kernel(std::string_view layer,
               std::string_view weight,
               const Shape& shape,
               std::vector<std::int64_t> perm,
               std::string_view layout) {
    const std::string name = child(layer, weight);
    return add(Transpose{.perm = std::move(perm)}, {parameter(name, shape)}, child(name, layout));
  }

  /// {rows, columns, in, out} of a convolution.
  Value conv_kernel(std::string_view layer, std::string_view weight, const Shape& shape) {
    return kernel(layer, weight, shape, {3, 0, 1, 2}, "ohwi");
  }

  /// {rows, columns, channels, 1} of a depthwise convolution.
  Value depthwise_kernel(std::string_view layer, std::string_view weight, const Shape& shape) {
    return kernel(layer, weight, shape, {2, 0, 1, 3}, "ohwi");
  }

  /// The node `op` as a layer of that class of Keras.
  Tensor layer(Op op, std::vector<Value> inputs, std::string_view type, std::string_view name) {
    const Value result = add(std::move(op), std::move(inputs), std::string(name));
    graph.set_layer(result.node, std::string(type));
    return tensor(result);
  }

  /// A layer with its activation as a node of its own.
  Tensor layer(Op op,
               std::vector<Value> inputs,
               ActivationFunction function,
               std::string_view type,
               std::string_view name) {
    if (function == ActivationFunction::kLinear) {
      return layer(std::move(op), std::move(inputs), type, name);
    }
    const Value result = add(std::move(op), std::move(inputs), child(name, "pre_activation"));
    return layer(activation_op(function), {result}, type, name);
  }

  /// Batch normalisation always has four vectors; those that Keras leaves out are constant.
  Value scale_or_offset(bool declared,
                        std::string_view layer,
                        std::string_view what,
                        std::int64_t channels,
                        float otherwise) {
    if (declared) return parameter(child(layer, what), {channels});
    Constant constant;
    constant.desc = {DType::kFloat32, {channels}};
    constant.data = filled(channels, otherwise);
    return add(std::move(constant), {}, child(layer, cat("no_", what)));
  }
};

GraphBuilder::GraphBuilder() : impl_(std::make_unique<Impl>()) {}

GraphBuilder::~GraphBuilder() = default;
GraphBuilder::GraphBuilder(GraphBuilder&&) noexcept = default;
GraphBuilder& GraphBuilder::operator=(GraphBuilder&&) noexcept = default;

Tensor GraphBuilder::input(const Shape& shape, std::string_view name) {
  return impl_->layer(batched_input(shape), {}, "InputLayer", name);
}

Tensor GraphBuilder::sequential_input(const Shape& shape, std::string_view name) {
  return Impl::tensor(impl_->add(batched_input(shape), {}, std::string(name)));
}

Tensor GraphBuilder::parameter(std::string_view name, const Shape& shape) {
  return Impl::tensor(impl_->parameter(std::string(name), shape));
}

Tensor GraphBuilder::conv2d(Tensor x, const Conv2dSpec& spec, std::string_view name) {
  const Shape shape = impl_->shape(x, name, 4);
  const Window window{spec.kernel, spec.strides, spec.dilation};
  Impl::check_window(window, name);
  Impl::check(spec.groups >= 1 && shape[3] % spec.groups == 0,
              name,
              cat(shape[3], " input channels do not divide into ", spec.groups, " groups"));
  Impl::check(spec.filters >= 1 && spec.filters % spec.groups == 0,
              name,
              cat(spec.filters, " filters do not divide into ", spec.groups, " groups"));

  const auto [rows, columns] = spec.kernel;
  std::vector<Value> inputs{
      Impl::value(x),
      impl_->conv_kernel(name, "kernel", {rows, columns, shape[3] / spec.groups, spec.filters})};
  if (spec.use_bias) inputs.push_back(impl_->parameter(child(name, "bias"), {spec.filters}));
  const Conv2d op = Impl::convolution(spec, window, shape, spec.groups, spec.use_bias);
  return impl_->layer(op, std::move(inputs), spec.activation, "Conv2D", name);
}

Tensor GraphBuilder::depthwise_conv2d(Tensor x,
                                      const DepthwiseConv2dSpec& spec,
                                      std::string_view name) {
  const Shape shape = impl_->shape(x, name, 4);
  const Window window{spec.kernel, spec.strides, spec.dilation};
  Impl::check_window(window, name);

  const std::int64_t channels = shape[3];
  const auto [rows, columns] = spec.kernel;
  std::vector<Value> inputs{Impl::value(x),
                            impl_->depthwise_kernel(name, "kernel", {rows, columns, channels, 1})};
  if (spec.use_bias) inputs.push_back(impl_->parameter(child(name, "bias"), {channels}));
  const Conv2d op = Impl::convolution(spec, window, shape, channels, spec.use_bias);
  return impl_->layer(op, std::move(inputs), spec.activation, "DepthwiseConv2D", name);
}

Tensor GraphBuilder::separable_conv2d(Tensor x,
                                      const SeparableConv2dSpec& spec,
                                      std::string_view name) {
  const Shape shape = impl_->shape(x, name, 4);
  const Window window{spec.kernel, spec.strides, spec.dilation};
  Impl::check_window(window, name);
  Impl::check(spec.filters >= 1, name, "needs at least one filter");

  const std::int64_t channels = shape[3];
  const auto [rows, columns] = spec.kernel;
  const Conv2d depthwise = Impl::convolution(spec, window, shape, channels, /*bias=*/false);
  const Value between =
      impl_->add(depthwise,
                 {Impl::value(x),
                  impl_->depthwise_kernel(name, "depthwise_kernel", {rows, columns, channels, 1})},
                 child(name, "depthwise"));
  std::vector<Value> inputs{
      between, impl_->conv_kernel(name, "pointwise_kernel", {1, 1, channels, spec.filters})};
  if (spec.use_bias) inputs.push_back(impl_->parameter(child(name, "bias"), {spec.filters}));
  return impl_->layer(Conv2d{.bias = spec.use_bias, .activation = {}},
                      std::move(inputs),
                      spec.activation,
                      "SeparableConv2D",
                      name);
}

Tensor GraphBuilder::dense(Tensor x, const DenseSpec& spec, std::string_view name) {
  const std::int64_t in = impl_->shape(x, name, 2)[1];
  Impl::check(spec.units >= 1, name, "needs at least one unit");

  std::vector<Value> inputs{Impl::value(x),
                            impl_->kernel(name, "kernel", {in, spec.units}, {1, 0}, "oi")};
  if (spec.use_bias) inputs.push_back(impl_->parameter(child(name, "bias"), {spec.units}));
  return impl_->layer(Dense{.bias = spec.use_bias, .activation = {}},
                      std::move(inputs),
                      spec.activation,
                      "Dense",
                      name);
}

Tensor GraphBuilder::batch_norm(Tensor x, const BatchNormSpec& spec, std::string_view name) {
  const Shape shape = impl_->shape(x, name);
  Impl::check(shape.size() >= 2, name, "needs an input with channels");
  Impl::check(spec.epsilon >= 0, name, "epsilon must be >= 0");

  const std::int64_t channels = shape.back();
  const Value gamma = impl_->scale_or_offset(spec.scale, name, "gamma", channels, 1.0F);
  const Value beta = impl_->scale_or_offset(spec.center, name, "beta", channels, 0.0F);
  const Value mean = impl_->parameter(child(name, "moving_mean"), {channels}, false);
  const Value variance = impl_->parameter(child(name, "moving_variance"), {channels}, false);
  return impl_->layer(BatchNorm{.epsilon = spec.epsilon},
                      {Impl::value(x), gamma, beta, mean, variance},
                      "BatchNormalization",
                      name);
}

Tensor GraphBuilder::activation(Tensor x, ActivationFunction function, std::string_view name) {
  (void)impl_->shape(x, name);
  return impl_->layer(activation_op(function), {Impl::value(x)}, "Activation", name);
}

Tensor GraphBuilder::max_pool2d(Tensor x, const Pool2dSpec& spec, std::string_view name) {
  const Window window{spec.pool_size, spec.strides.value_or(spec.pool_size), {1, 1}};
  const Shape& shape = impl_->shape(x, name, 4);
  Impl::check_window(window, name);
  const MaxPool op{.kernel = window.kernel,
                   .strides = window.strides,
                   .pads = resolve(spec.padding, shape, window)};
  return impl_->layer(op, {Impl::value(x)}, "MaxPooling2D", name);
}

Tensor GraphBuilder::average_pool2d(Tensor x, const Pool2dSpec& spec, std::string_view name) {
  const Window window{spec.pool_size, spec.strides.value_or(spec.pool_size), {1, 1}};
  const Shape& shape = impl_->shape(x, name, 4);
  Impl::check_window(window, name);
  const AveragePool op{.kernel = window.kernel,
                       .strides = window.strides,
                       .pads = resolve(spec.padding, shape, window)};
  return impl_->layer(op, {Impl::value(x)}, "AveragePooling2D", name);
}

Tensor GraphBuilder::global_average_pool2d(Tensor x, std::string_view name) {
  (void)impl_->shape(x, name, 4);
  return impl_->layer(
      GlobalPool{.kind = PoolKind::kAverage}, {Impl::value(x)}, "GlobalAveragePooling2D", name);
}

Tensor GraphBuilder::local_response_norm(Tensor x,
                                         const LocalResponseNormSpec& spec,
                                         std::string_view name) {
  (void)impl_->shape(x, name, 4);
  const Lrn op{.size = spec.size, .alpha = spec.alpha, .beta = spec.beta, .bias = spec.bias};
  return impl_->layer(op, {Impl::value(x)}, "LRN", name);
}

Tensor GraphBuilder::zero_padding2d(Tensor x,
                                    const std::array<std::int64_t, 4>& pads,
                                    std::string_view name) {
  (void)impl_->shape(x, name, 4);
  return impl_->layer(Pad{.pads = pads}, {Impl::value(x)}, "ZeroPadding2D", name);
}

Tensor GraphBuilder::add(Tensor a, Tensor b, std::string_view name) {
  (void)impl_->shape(a, name);
  (void)impl_->shape(b, name);
  return impl_->layer(Add{}, {Impl::value(a), Impl::value(b)}, "Add", name);
}

Tensor GraphBuilder::multiply(Tensor a, Tensor b, std::string_view name) {
  (void)impl_->shape(a, name);
  (void)impl_->shape(b, name);
  return impl_->layer(Mul{}, {Impl::value(a), Impl::value(b)}, "Multiply", name);
}

Tensor GraphBuilder::concatenate(const std::vector<Tensor>& inputs,
                                 std::string_view name,
                                 int axis) {
  Impl::check(!inputs.empty(), name, "needs at least one input");
  const auto rank = static_cast<int>(impl_->shape(inputs[0], name).size());
  const int from_front = axis < 0 ? axis + rank : axis;
  Impl::check(from_front >= 1 && from_front < rank,
              name,
              cat("cannot concatenate along axis ", axis, " of ", rank, " dimensions"));

  std::vector<Value> values;
  values.reserve(inputs.size());
  for (const Tensor& input : inputs) {
    (void)impl_->shape(input, name);
    values.push_back(Impl::value(input));
  }
  return impl_->layer(Concat{.axis = from_front}, std::move(values), "Concatenate", name);
}

Tensor GraphBuilder::flatten(Tensor x, std::string_view name) {
  const Shape& shape = impl_->shape(x, name);
  Impl::check(!shape.empty() && shape[0] == kBatch, name, "needs an input with a batch");
  const std::int64_t elements = num_elements({shape.begin() + 1, shape.end()});
  return impl_->layer(Reshape{.shape = {kBatch, elements}}, {Impl::value(x)}, "Flatten", name);
}

Tensor GraphBuilder::softmax(Tensor x, std::string_view name) {
  (void)impl_->shape(x, name);
  return impl_->layer(Softmax{}, {Impl::value(x)}, "Softmax", name);
}

TensorDesc GraphBuilder::desc(Tensor x) const {
  (void)impl_->shape(x, "desc");
  return impl_->graph.desc(Impl::value(x));
}

void GraphBuilder::output(Tensor x, std::string_view name) {
  (void)impl_->shape(x, name.empty() ? "output" : name);
  impl_->mark_output(Impl::value(x), std::string(name));
}

ModelGraph GraphBuilder::build() {
  require(!impl_->graph.outputs().empty(), "a network needs an output: call output() first");
  Graph graph = std::move(impl_->graph);
  *impl_ = Impl();
  return ModelGraphAccess::wrap(std::move(graph));
}

}  // namespace fovea
