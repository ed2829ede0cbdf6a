// The files that the library carries, and whether they fit the networks of the zoo.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/compiler.h>
#include <fovea/model.h>
#include <fovea/zoo.h>

#include "engine/api/model_graph.h"
#include "engine/core/digest.h"
#include "engine/core/safetensors.h"
#include "engine/graph/weights.h"
#include "engine/importers/manifest.h"
#include "engine/pipeline/labels.h"
#include "models/builders/zoo.h"
#include "models/embedded.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string_view text_of(const std::string& path) {
  const EmbeddedFile* file = find_embedded_file(path);
  if (file == nullptr) throw std::runtime_error("no embedded file " + path);
  return file->text();
}

Manifest manifest_of(const zoo::Model& model) {
  const std::string path = std::string(model.folder) + "/manifest.json";
  return parse_manifest(text_of(path), path);
}

std::vector<Label> labels(const std::string& path) {
  return parse_labels(text_of(path), path);
}

Graph build(const zoo::Model& model) {
  const PreprocessSpec spec = manifest_of(model).preprocess.value();
  return ModelGraphAccess::graph(model.build({.height = spec.height, .width = spec.width}));
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
    const Manifest manifest = manifest_of(model);
    const Graph graph = build(model);

    EXPECT_EQ(manifest.name, model.name);
    EXPECT_GT(manifest.random_head, 0);
    ASSERT_TRUE(manifest.preprocess.has_value());
    const std::int64_t channels = manifest.preprocess->color == ColorMode::kRgb ? 3 : 1;
    EXPECT_EQ(graph.node(graph.inputs().at(0)).outputs[0].shape,
              (Shape{kBatch, manifest.preprocess->height, manifest.preprocess->width, channels}))
        << model.name;
    EXPECT_EQ(
        graph.desc(graph.outputs()[0].value).shape,
        (Shape{kBatch,
               static_cast<std::int64_t>(labels("labels/" + manifest.labels + ".json").size())}))
        << model.name;
    EXPECT_NE(graph.node(graph.outputs()[0].value).as<Softmax>(), nullptr);
    EXPECT_FALSE(manifest.logits);
  }
}

TEST(Manifests, HoldTheContractsOfTheNetworks) {
  const PreprocessSpec caffe{.height = 224, .width = 224, .mode = Normalization::kCaffe};
  for (const auto* name : {"vgg16", "vgg19", "resnet50"}) {
    EXPECT_EQ(manifest_of(zoo::find(name)).preprocess, caffe) << name;
  }
  const PreprocessSpec tf{.height = 299, .width = 299, .mode = Normalization::kTf};
  for (const auto* name : {"inception_v3", "xception"}) {
    EXPECT_EQ(manifest_of(zoo::find(name)).preprocess, tf) << name;
  }
  const PreprocessSpec crop{.height = 224,
                            .width = 224,
                            .interpolation = Interpolation::kBilinear,
                            .fit = Fit::kCentreCrop,
                            .shorter_side = 256,
                            .mode = Normalization::kCaffe};
  for (const auto* name : {"alexnet", "googlenet"}) {
    EXPECT_EQ(manifest_of(zoo::find(name)).preprocess, crop) << name;
  }
  const PreprocessSpec lenet = manifest_of(zoo::find("lenet5")).preprocess.value();
  EXPECT_EQ(lenet,
            (PreprocessSpec{.height = 28,
                            .width = 28,
                            .color = ColorMode::kGrayscale,
                            .mode = Normalization::kUnit}));
}

TEST(Manifests, SayWhereWeightsAreAndHowTheyAreChecked) {
  for (const zoo::Model& model : zoo::models()) {
    const Manifest manifest = manifest_of(model);
    ASSERT_FALSE(manifest.weights.empty()) << model.name;
    for (const WeightFile& file : manifest.weights) {
      EXPECT_GT(file.bytes, 0U) << file.file;
      if (file.urls.empty()) {
        const EmbeddedFile* embedded = find_embedded_file(file.file);
        ASSERT_NE(embedded, nullptr) << file.file;
        EXPECT_EQ(embedded->bytes.size(), file.bytes) << file.file;
        EXPECT_EQ(sha256(embedded->bytes), file.sha256) << file.file;
        continue;
      }
      EXPECT_TRUE(file.md5.size() == 32U || file.sha256.size() == 64U) << file.file;
      for (const std::string& url : file.urls) {
        EXPECT_TRUE(url.starts_with("https://")) << url;
        EXPECT_TRUE(url.ends_with("/" + file.file)) << url;
      }
    }
  }
}

TEST(Labels, AreInTheOrderOfKeras) {
  const auto expect_label = [](const Label& label, const char* id, const char* name) {
    EXPECT_EQ(label.id, id);
    EXPECT_EQ(label.text, name);
  };
  const auto imagenet = labels("labels/imagenet.json");
  expect_label(imagenet.at(0), "n01440764", "tench");
  expect_label(imagenet.at(386), "n02504458", "African_elephant");
  expect_label(imagenet.at(954), "n07753592", "banana");
  expect_label(imagenet.at(999), "n15075141", "toilet_tissue");
  expect_label(labels("labels/mnist.json").at(7), "7", "7");
}

TEST(LeNet5Weights, FillTheNetworkWithoutACopy) {
  const EmbeddedFile* file = find_embedded_file("lenet5/weights.safetensors");
  ASSERT_NE(file, nullptr);
  const NamedTensors tensors = parse_safetensors(file->bytes);
  Graph graph = build(zoo::find("lenet5"));

  load_weights(graph, tensors);

  EXPECT_EQ(tensors.size(), 10U);
  for (const Node& node : graph.nodes()) {
    const auto* constant = node.as<Constant>();
    if (constant == nullptr) continue;
    const std::byte* data = constant->data->read().data();
    EXPECT_TRUE(data > file->bytes.data() && data < file->bytes.data() + file->bytes.size())
        << node.name;
  }
}

TEST(ZooModels, OpenWithoutWeightsToBeLookedAt) {
  const Model model = open_model("lenet5", {.weights = "none"});

  for (const Node& node : ModelGraphAccess::graph(model.graph()).nodes()) {
    const auto* constant = node.as<Constant>();
    if (constant == nullptr) continue;
    EXPECT_EQ(constant->data, nullptr) << node.name;
  }
  test::expect_error(ErrorCode::kWeightsMissing, "kernel", [&] {
    (void)compile(model.graph(), {.backend = "reference"});
  });
}

TEST(LabelSets, AreNoFilesOfAPackage) {
  int sets = 0;
  for (const EmbeddedFile& file : embedded_files()) {
    const std::filesystem::path path(file.path);
    if (path.parent_path() != "labels") continue;
    Manifest manifest;
    manifest.labels = path.stem();
    EXPECT_FALSE(has_label_file(manifest)) << file.path;
    ++sets;
  }
  EXPECT_EQ(sets, 2);
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
