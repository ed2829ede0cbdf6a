#include "engine/graph/ops/separable_conv2d.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "engine/core/require.h"
#include "engine/graph/op.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

bool is_depthwise(const Conv2d& conv, const Shape& x, const Shape& weights) {
  return conv.groups == x[3] && weights[0] == x[3];
}

bool is_pointwise(const Conv2d& conv, const Shape& weights) {
  return weights[1] == 1 && weights[2] == 1 && conv.groups == 1 &&
         conv.strides == decltype(conv.strides){1, 1} && conv.pads == Pads{0, 0, 0, 0};
}

TensorDesc SeparableConv2d::between(std::span<const TensorDesc> inputs) const {
  return fovea::infer(depthwise, inputs.first(depthwise_inputs())).at(0);
}

std::vector<TensorDesc> SeparableConv2d::infer(std::span<const TensorDesc> inputs) const {
  const std::size_t parameters = 1U + (pointwise.bias ? 1U : 0U) + (pointwise.residual ? 1U : 0U);
  check_inputs(inputs, depthwise_inputs() + parameters);
  require(!depthwise.residual, "the depthwise part of a SeparableConv2d adds no residual");
  require(pointwise.input_activation == ActivationKind::kNone,
          "what the pointwise part of a SeparableConv2d reads has the depthwise part's activation");
  std::vector<TensorDesc> rest{between(inputs)};
  std::ranges::copy(inputs.subspan(depthwise_inputs()), std::back_inserter(rest));
  std::vector<TensorDesc> outputs = fovea::infer(pointwise, rest);
  if (!is_depthwise(depthwise, inputs[0].shape, inputs[1].shape)) {
    throw InvalidArgument(
        cat("the first part must have as many groups and outputs as x has "
            "channels: x is ",
            to_string(inputs[0]),
            ", its weight ",
            to_string(inputs[1]),
            " in ",
            depthwise.groups,
            " groups"));
  }
  if (!is_pointwise(pointwise, rest[1].shape)) {
    throw InvalidArgument(
        cat("the second part must have windows of one pixel, one apart, without "
            "padding or groups: its weight is ",
            to_string(rest[1])));
  }
  return outputs;
}

void SeparableConv2d::evaluate(std::span<const ConstTensorView> inputs,
                               std::span<const TensorView> outputs) const {
  std::vector<TensorDesc> descs;
  descs.reserve(inputs.size());
  for (const ConstTensorView& input : inputs) descs.push_back(*input.desc);
  const TensorDesc desc = between(descs);
  std::vector<std::byte> bytes(byte_size(desc));
  const TensorView written{&desc, bytes.data()};
  fovea::evaluate(depthwise, inputs.first(depthwise_inputs()), {&written, 1});
  std::vector<ConstTensorView> rest{{&desc, bytes.data()}};
  std::ranges::copy(inputs.subspan(depthwise_inputs()), std::back_inserter(rest));
  fovea::evaluate(pointwise, rest, outputs);
}

}  // namespace fovea
