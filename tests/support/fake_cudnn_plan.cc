#include "tests/support/fake_cudnn_plan.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "engine/core/require.h"

namespace fovea::test {

namespace {

using Json = nlohmann::json;
using cuda::CudnnTensor;

/// Calls move(place in memory, place in the dense tensor) for every pixel; places in elements.
template <typename Move>
void for_each_pixel(const FakeTensor& tensor, const Move& move) {
  const std::int64_t pixels = tensor.dims[0] * tensor.dims[2] * tensor.dims[3];
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    move(pixel * tensor.strides[3], pixel * tensor.dims[1]);
  }
}

/// A tensor as the operators know it.
struct DenseTensor {
  TensorDesc desc;
  std::vector<float> values;
};

DenseTensor dense(const FakeTensor& tensor, bool is_vector) {
  const auto& dims = tensor.dims;
  require(tensor.type == CUDNN_DATA_FLOAT, "the fake cuDNN computes in float32");
  DenseTensor made{
      {DType::kFloat32, is_vector ? Shape{dims[1]} : Shape{dims[0], dims[2], dims[3], dims[1]}},
      {}};
  made.values.resize(static_cast<std::size_t>(num_elements(made.desc.shape)));
  return made;
}

}  // namespace

std::string plan_json(const FakePlan& plan) {
  const Conv2d& conv = plan.conv;
  Json json{{"engine", plan.engine.index}, {"operations", plan.operations}};
  json["conv"] = {conv.strides, conv.dilations, conv.pads, conv.groups, conv.bias, conv.residual};
  json["activation"] = {
      static_cast<int>(conv.activation.kind), conv.activation.lo, conv.activation.hi};
  json["knobs"] = Json::array();
  for (const auto& knob : plan.engine.knobs) json["knobs"].push_back({knob.type, knob.value});
  json["tensors"] = Json::array();
  for (const auto& [id, tensor] : plan.tensors) {
    json["tensors"].push_back(
        {id, tensor.dims, tensor.strides, tensor.alignment, static_cast<int>(tensor.type)});
  }
  return json.dump();
}

FakePlan parse_plan(std::string_view text) {
  const Json json = Json::parse(text);
  FakePlan plan;
  plan.from_json = true;
  plan.engine.index = json.at("engine");
  plan.operations = json.at("operations");
  const Json& conv = json.at("conv");
  plan.conv = {.strides = conv.at(0),
               .dilations = conv.at(1),
               .pads = conv.at(2),
               .groups = conv.at(3),
               .bias = conv.at(4),
               .residual = conv.at(5)};
  const Json& activation = json.at("activation");
  plan.conv.activation = {.kind = static_cast<ActivationKind>(activation.at(0).get<int>()),
                          .lo = activation.at(1),
                          .hi = activation.at(2)};
  for (const Json& knob : json.at("knobs")) {
    plan.engine.knobs.push_back({knob.at(0), knob.at(1)});
  }
  for (const Json& tensor : json.at("tensors")) {
    plan.tensors[tensor.at(0)] = {tensor.at(1),
                                  tensor.at(2),
                                  tensor.at(3),
                                  static_cast<cudnnDataType_t>(tensor.at(4).get<int>())};
  }
  return plan;
}

void evaluate(const FakeRun& run) {
  const auto tensor = [&](CudnnTensor id) -> const FakeTensor& {
    return run.plan.tensors.at(static_cast<std::int64_t>(id));
  };
  const auto address = [&](CudnnTensor id) {
    return static_cast<float*>(run.addresses.at(static_cast<std::int64_t>(id)));
  };
  std::vector<CudnnTensor> read{CudnnTensor::kX, CudnnTensor::kWeights};
  if (run.plan.conv.bias) read.push_back(CudnnTensor::kBias);
  if (run.plan.conv.residual) read.push_back(CudnnTensor::kResidual);
  std::vector<DenseTensor> values;
  for (const CudnnTensor id : read) {
    values.push_back(dense(tensor(id), id == CudnnTensor::kBias));
    for_each_pixel(tensor(id), [&](std::int64_t strided, std::int64_t place) {
      std::copy_n(address(id) + strided, tensor(id).dims[1], values.back().values.begin() + place);
    });
  }
  std::vector<ConstTensorView> inputs;
  for (const DenseTensor& value : values) {
    inputs.push_back({&value.desc, reinterpret_cast<const std::byte*>(value.values.data())});
  }
  DenseTensor result = dense(tensor(CudnnTensor::kY), false);
  const TensorView output{&result.desc, reinterpret_cast<std::byte*>(result.values.data())};
  run.plan.conv.evaluate(inputs, {&output, 1});
  const FakeTensor& y = tensor(CudnnTensor::kY);
  for_each_pixel(y, [&](std::int64_t strided, std::int64_t place) {
    std::copy_n(result.values.begin() + place, y.dims[1], address(CudnnTensor::kY) + strided);
  });
}

}  // namespace fovea::test
