#include "tests/support/fake_cudnn_descriptor.h"

#include <array>
#include <string>

namespace fovea::test {

namespace {

std::string mode_name(cudnnPointwiseMode_t mode) {
  switch (mode) {
    case CUDNN_POINTWISE_ADD:
      return "add";
    case CUDNN_POINTWISE_RELU_FWD:
      return "relu";
    case CUDNN_POINTWISE_TANH_FWD:
      return "tanh";
    case CUDNN_POINTWISE_SIGMOID_FWD:
      return "sigmoid";
    default:
      return "?";
  }
}

void take_tensor(const FakeDescriptor* tensor, FakePlan& plan) {
  if (tensor == nullptr || tensor->one<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL)) return;
  plan.tensors[tensor->one<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID)] = {
      tensor->all<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS),
      tensor->all<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES),
      tensor->one<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT),
      tensor->one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE)};
}

/// Takes what is neither a tensor nor an operation's name.
void take_window(const FakeDescriptor& convolution, Conv2d& conv) {
  const auto pair = [&](cudnnBackendAttributeName_t name) {
    const auto values = convolution.all<std::int64_t>(name);
    return std::array{values.at(0), values.at(1)};
  };
  const auto before = pair(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
  const auto after = pair(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
  conv.strides = pair(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
  conv.dilations = pair(CUDNN_ATTR_CONVOLUTION_DILATIONS);
  conv.pads = {before[0], before[1], after[0], after[1]};
}

Activation activation_of(const FakeDescriptor& pointwise) {
  switch (pointwise.one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE)) {
    case CUDNN_POINTWISE_RELU_FWD:
      if (!pointwise.attributes.contains(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP)) {
        return {.kind = ActivationKind::kRelu};
      }
      return {
          .kind = ActivationKind::kClip,
          .lo = static_cast<float>(pointwise.one<double>(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP)),
          .hi = static_cast<float>(pointwise.one<double>(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP))};
    case CUDNN_POINTWISE_TANH_FWD:
      return {.kind = ActivationKind::kTanh};
    case CUDNN_POINTWISE_SIGMOID_FWD:
      return {.kind = ActivationKind::kSigmoid};
    default:
      return {};
  }
}

}  // namespace

std::size_t size_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_BOOLEAN:
      return sizeof(bool);
    case CUDNN_TYPE_CHAR:
      return sizeof(char);
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
      return 8;
    default:
      return 4;
  }
}

std::vector<cuda::CudnnKnob> knobs_of(const FakeDescriptor& config) {
  std::vector<cuda::CudnnKnob> knobs;
  for (auto* handle : config.all<cudnnBackendDescriptor_t>(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES)) {
    const auto& choice = *static_cast<const FakeDescriptor*>(handle);
    knobs.push_back({choice.one<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE),
                     choice.one<std::int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE)});
  }
  return knobs;
}

FakePlan describe_graph(const FakeDescriptor& graph) {
  FakePlan plan;
  for (auto* handle : graph.all<cudnnBackendDescriptor_t>(CUDNN_ATTR_OPERATIONGRAPH_OPS)) {
    const auto& operation = *static_cast<const FakeDescriptor*>(handle);
    if (operation.type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR) {
      plan.operations.emplace_back("conv");
      take_window(*operation.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC), plan.conv);
      take_tensor(operation.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X), plan);
      take_tensor(operation.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W), plan);
      take_tensor(operation.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y), plan);
      continue;
    }
    const FakeDescriptor& pointwise = *operation.ref(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    plan.operations.push_back(
        mode_name(pointwise.one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE)));
    plan.conv.activation = activation_of(pointwise);
    take_tensor(operation.ref(CUDNN_ATTR_OPERATION_POINTWISE_XDESC), plan);
    take_tensor(operation.ref(CUDNN_ATTR_OPERATION_POINTWISE_BDESC), plan);
    take_tensor(operation.ref(CUDNN_ATTR_OPERATION_POINTWISE_YDESC), plan);
  }
  const auto has = [&](cuda::CudnnTensor id) {
    return plan.tensors.contains(static_cast<std::int64_t>(id));
  };
  const auto channels = [&](cuda::CudnnTensor id) {
    return plan.tensors.at(static_cast<std::int64_t>(id)).dims[1];
  };
  plan.conv.groups = channels(cuda::CudnnTensor::kX) / channels(cuda::CudnnTensor::kWeights);
  plan.conv.bias = has(cuda::CudnnTensor::kBias);
  plan.conv.residual = has(cuda::CudnnTensor::kResidual);
  return plan;
}

}  // namespace fovea::test
