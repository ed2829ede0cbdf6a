#include "tests/gpu/networks.h"

#include <cstring>

#include <nlohmann/json.hpp>

#include <fovea/preprocess.h>

#include "engine/api/model_graph.h"
#include "engine/core/require.h"
#include "engine/graph/random_weights.h"
#include "models/builders/zoo.h"
#include "models/embedded.h"

namespace fovea::selftest {

namespace {

constexpr std::uint64_t kWeightsSeed = 1;

nlohmann::json manifest_of(const zoo::Model& model) {
  const EmbeddedFile* file = find_embedded_file(cat(model.folder, "/manifest.json"));
  require(file != nullptr, "every network of the zoo has a manifest");
  return nlohmann::json::parse(file->text());
}

/// The bare network behind a NormalizeImage, and without its Softmax.
Graph with_head(const Graph& network, Normalization mode) {
  Graph whole;
  std::vector<Value> place(network.nodes().size());
  for (NodeId id = 0; id < network.size(); ++id) {
    const Node& node = network.node(id);
    Value& here = place[static_cast<std::size_t>(id)];
    if (node.as<Input>() != nullptr) {
      const Value pixels = whole.add(Input{{DType::kUInt8, node.outputs[0].shape}}, {}, "pictures");
      here = whole.add(
          NormalizeImage{.constants = normalization_constants(mode)}, {pixels}, "normalized");
      continue;
    }
    std::vector<Value> inputs;
    for (const Value& input : node.inputs) {
      inputs.push_back({place[static_cast<std::size_t>(input.node)].node, input.output});
    }
    here = whole.add_as(node, node.op, std::move(inputs));
  }
  const Value scores = network.outputs()[0].value;
  const Node& last = network.node(scores.node);
  const Value logits = last.as<Softmax>() != nullptr ? last.inputs[0] : scores;
  whole.mark_output({place[static_cast<std::size_t>(logits.node)].node, logits.output}, "logits");
  whole.compact();
  return whole;
}

}  // namespace

std::vector<std::string> network_names() {
  std::vector<std::string> names;
  for (const zoo::Model& model : zoo::models()) names.emplace_back(model.name);
  return names;
}

Graph make_network(std::string_view name) {
  const zoo::Model& model = zoo::find(name);
  const nlohmann::json manifest = manifest_of(model);
  const auto& preprocess = manifest.at("preprocess");
  const ModelGraph built = model.build(
      {.height = preprocess.at("height").get<int>(), .width = preprocess.at("width").get<int>()});
  Graph network = ModelGraphAccess::graph(built);
  fill_random_weights(network, kWeightsSeed, manifest.at("random_head").get<double>());
  return with_head(network, parse_normalization(preprocess.at("mode").get<std::string>()));
}

TensorBytes formula_pictures(const Graph& network, std::int64_t n) {
  const TensorDesc& desc = network.node(network.inputs()[0]).outputs[0];
  const std::size_t bytes = byte_size(with_batch(desc, 1));
  const auto height = static_cast<int>(desc.shape[1]);
  const auto width = static_cast<int>(desc.shape[2]);
  TensorBytes pictures(bytes * static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    // Of a gray network the first third of the bytes.
    const auto pixels = formula_image(width, height, static_cast<std::uint64_t>(i % kPictures + 1));
    std::memcpy(pictures.data() + static_cast<std::size_t>(i) * bytes, pixels.data(), bytes);
  }
  return pictures;
}

}  // namespace fovea::selftest
