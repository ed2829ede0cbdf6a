#include "engine/graph/weights.h"

#include <gtest/gtest.h>

#include <fovea/error.h>

namespace fovea {
namespace {

/// input * scale + shift, with both parameters declared.
Graph declared() {
  Graph graph;
  const auto parameter = [&](const char* name) {
    return graph.add(Constant{{DType::kFloat32, {3}}, nullptr}, {}, name);
  };
  Value x = graph.add(Input{{DType::kFloat32, {kBatch, 3}}}, {}, "input");
  x = graph.add(Mul{}, {x, parameter("layer/scale")}, "mul");
  x = graph.add(Add{{}}, {x, parameter("layer/shift")}, "add");
  graph.mark_output(x);
  return graph;
}

std::pair<TensorDesc, std::shared_ptr<const Buffer>> zeros(DType dtype, Shape shape) {
  const TensorDesc desc{dtype, std::move(shape)};
  return {desc, Buffer::from(std::vector<std::byte>(byte_size(desc)))};
}

NamedTensors both() {
  return {{"layer/scale", zeros(DType::kFloat32, {3})},
          {"layer/shift", zeros(DType::kFloat32, {3})}};
}

const Buffer* data_of(const Graph& graph, std::string_view name) {
  return graph.node(graph.find(name)).as<Constant>()->data.get();
}

/// Loads, which must fail, and returns the message; the graph must not change.
std::string refused(const NamedTensors& tensors, ErrorCode code) {
  Graph graph = declared();
  try {
    load_weights(graph, tensors);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_EQ(data_of(graph, "layer/scale"), nullptr);
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

void expect_contains(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts) EXPECT_NE(text.find(part), std::string::npos) << text;
}

}  // namespace

TEST(LoadWeights, SharesTheTensorsOfTheSameName) {
  Graph graph = declared();
  NamedTensors tensors = both();
  tensors["other/scale"] = zeros(DType::kInt8, {7});

  load_weights(graph, tensors);

  EXPECT_EQ(data_of(graph, "layer/scale"), tensors.at("layer/scale").second.get());
  EXPECT_EQ(data_of(graph, "layer/shift"), tensors.at("layer/shift").second.get());
}

TEST(LoadWeights, KeepsDataThatIsThere) {
  Graph graph = declared();
  const NamedTensors first = both();
  load_weights(graph, first);

  load_weights(graph, {});

  EXPECT_EQ(data_of(graph, "layer/scale"), first.at("layer/scale").second.get());
}

TEST(LoadWeights, NamesWhatIsMissing) {
  NamedTensors tensors = both();
  tensors.erase("layer/shift");

  expect_contains(refused(tensors, ErrorCode::kWeightsMissing), {"'layer/shift'", "f32[3]"});
}

TEST(LoadWeights, NamesBothSidesOfAMismatch) {
  NamedTensors tensors = both();
  tensors["layer/shift"] = zeros(DType::kFloat32, {1, 3});
  expect_contains(refused(tensors, ErrorCode::kWeightsShapeMismatch),
                  {"'layer/shift'", "f32[1,3]", "f32[3]"});

  tensors["layer/shift"] = zeros(DType::kFloat16, {3});
  expect_contains(refused(tensors, ErrorCode::kWeightsShapeMismatch),
                  {"'layer/shift'", "f16[3]", "f32[3]"});

  tensors["layer/shift"] = {{DType::kFloat32, {3}}, Buffer::from(std::vector<std::byte>(8))};
  expect_contains(refused(tensors, ErrorCode::kWeightsShapeMismatch), {"8 bytes", "12 bytes"});
}

}  // namespace fovea
