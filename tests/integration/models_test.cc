// The files that the library carries, and whether they fit the networks of the zoo.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fovea/zoo.h>

#include "engine/api/model_graph.h"
#include "engine/core/hash.h"
#include "engine/core/safetensors.h"
#include "engine/graph/weights.h"
#include "models/builders/zoo.h"
#include "models/embedded.h"

namespace fovea {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

nlohmann::json parse(const std::string& path) {
  const EmbeddedFile* file = find_embedded_file(path);
  if (file == nullptr) throw std::runtime_error("no embedded file " + path);
  return nlohmann::json::parse(file->text());
}

nlohmann::json manifest_of(const zoo::Model& model) {
  return parse(std::string(model.folder) + "/manifest.json");
}

Graph build(const zoo::Model& model) {
  const nlohmann::json size = manifest_of(model).at("preprocess");
  return ModelGraphAccess::graph(
      model.build({.height = size.at("height"), .width = size.at("width")}));
}

}  // namespace

TEST(EmbeddedFiles, AreTheFilesOfTheSourceTree) {
  EXPECT_GE(embedded_files().size(), 5U);
  for (const EmbeddedFile& file : embedded_files()) {
    const auto path = std::filesystem::path(FOVEA_SOURCE_DIR) / "models" / file.path;
    EXPECT_TRUE(file.text() == read(path)) << file.path;
    EXPECT_FALSE(file.bytes.empty()) << file.path;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.bytes.data()) % 64, 0U) << file.path;
    EXPECT_EQ(find_embedded_file(file.path), &file);
  }
  EXPECT_EQ(find_embedded_file("lenet5/manifest.jso"), nullptr);
}

TEST(Manifests, DescribeTheNetworkOfTheirName) {
  for (const zoo::Model& model : zoo::models()) {
    const nlohmann::json manifest = manifest_of(model);
    EXPECT_EQ(manifest.at("format").get<int>(), 1);
    EXPECT_EQ(manifest.at("name").get<std::string>(), model.name);
    EXPECT_GT(manifest.at("random_head").get<double>(), 0);

    const Graph graph = build(model);

    const nlohmann::json& preprocess = manifest.at("preprocess");
    const std::int64_t channels = preprocess.at("color") == "rgb" ? 3 : 1;
    EXPECT_EQ(graph.node(graph.inputs().at(0)).outputs[0].shape,
              (Shape{kBatch, preprocess.at("height"), preprocess.at("width"), channels}))
        << model.name;
    const auto labels = parse(manifest.at("labels")).get<std::vector<std::vector<std::string>>>();
    EXPECT_EQ(graph.desc(graph.outputs()[0].value).shape,
              (Shape{kBatch, static_cast<std::int64_t>(labels.size())}))
        << model.name;
    for (const auto& row : labels) EXPECT_EQ(row.size(), 2U) << row[0];
  }
}

TEST(Manifests, SayWhereWeightsAreAndHowTheyAreChecked) {
  for (const zoo::Model& model : zoo::models()) {
    const nlohmann::json weights = manifest_of(model).at("weights");
    ASSERT_FALSE(weights.empty()) << model.name;
    for (const nlohmann::json& file : weights) {
      EXPECT_GT(file.at("bytes").get<std::int64_t>(), 0) << file;
      if (file.at("urls").empty()) {
        const EmbeddedFile* embedded = find_embedded_file(file.at("file").get<std::string>());
        ASSERT_NE(embedded, nullptr) << file;
        EXPECT_EQ(embedded->bytes.size(), file.at("bytes").get<std::size_t>()) << file;
        EXPECT_EQ(sha256(embedded->bytes), file.at("sha256").get<std::string>()) << file;
        continue;
      }
      EXPECT_EQ(file.at("md5").get<std::string>().size(), 32U) << file;
      for (const std::string url : file.at("urls")) {
        EXPECT_TRUE(url.starts_with("https://")) << url;
        EXPECT_TRUE(url.ends_with(file.at("file").get<std::string>())) << url;
      }
    }
  }
}

TEST(Manifests, LabelsAreInTheOrderOfKeras) {
  const auto rows = [](const char* path) {
    return parse(path).get<std::vector<std::pair<std::string, std::string>>>();
  };
  const auto imagenet = rows("labels/imagenet.json");
  using Row = std::pair<std::string, std::string>;
  EXPECT_EQ(imagenet.at(0), (Row{"n01440764", "tench"}));
  EXPECT_EQ(imagenet.at(386), (Row{"n02504458", "African_elephant"}));
  EXPECT_EQ(imagenet.at(954), (Row{"n07753592", "banana"}));
  EXPECT_EQ(imagenet.at(999), (Row{"n15075141", "toilet_tissue"}));
  EXPECT_EQ(rows("labels/mnist.json").at(7), (Row{"7", "7"}));
}

TEST(LeNet5Weights, FillTheNetworkWithoutACopy) {
  const EmbeddedFile* file = find_embedded_file("lenet5/weights.safetensors");
  ASSERT_NE(file, nullptr);
  const NamedTensors tensors = parse_safetensors(file->bytes, nullptr);
  Graph graph = build(zoo::find("lenet5"));

  load_weights(graph, tensors);

  EXPECT_EQ(tensors.size(), 10U);
  for (const Node& node : graph.nodes()) {
    const auto* constant = node.as<Constant>();
    if (constant == nullptr) continue;
    const std::byte* data = constant->data->bytes().data();
    EXPECT_TRUE(data > file->bytes.data() && data < file->bytes.data() + file->bytes.size())
        << node.name;
  }
}

TEST(ZooNames, AreThoseOfTheTable) {
  const auto names = zoo_names();
  ASSERT_EQ(names.size(), zoo::models().size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(names[i], zoo::models()[i].name);
    EXPECT_EQ(zoo_description(names[i]), zoo::models()[i].description);
  }
}

}  // namespace fovea
