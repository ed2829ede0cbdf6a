// The eight networks of the zoo, from a picture's pixels to its probabilities on the CPU, with
// every set of passes (all, all without any one, none) against Keras and ONNX Runtime.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fovea/image.h>
#include <fovea/preprocess.h>

#include "engine/api/backends.h"
#include "engine/api/classify_graph.h"
#include "engine/api/model_graph.h"
#include "engine/backend/weight_store.h"
#include "engine/core/file.h"
#include "engine/core/require.h"
#include "engine/graph/graph_io.h"
#include "engine/runtime/execution_context.h"
#include "tests/support/filled_onnx.h"
#include "tests/support/golden_networks.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

struct Network {
  std::string name;
  std::string golden;    ///< its file below goldens/, without the extension
  std::string onnx;      ///< the file that its weights come from; empty for random ones
  std::string pictures;  ///< what the golden calls them
  std::string logits;    ///< the name of what the softmax gets
  PreprocessSpec spec;
};

std::ostream& operator<<(std::ostream& stream, const Network& network) {
  return stream << network.name;
}

PreprocessSpec square(int side, Normalization mode, ColorMode color = ColorMode::kRgb) {
  return {.height = side, .width = side, .color = color, .mode = mode};
}

std::vector<Network> networks() {
  std::vector<Network> all{
      {"lenet5",
       "lenet/LeNet5",
       "",
       "digits",
       "output/pre_activation",
       square(28, Normalization::kUnit, ColorMode::kGrayscale)},
      {"alexnet",
       "onnx/bvlc_alexnet",
       "light_bvlc_alexnet.onnx",
       "elephant",
       "fc8",
       square(224, Normalization::kCaffe)},
      {"googlenet",
       "onnx/inception_v1",
       "light_inception_v1.onnx",
       "elephant",
       "loss3_classifier",
       square(224, Normalization::kCaffe)},
  };
  for (const test::KerasNetwork& keras : test::keras_networks()) {
    all.push_back({std::string(keras.name),
                   "keras/" + keras.golden,
                   "",
                   "elephant",
                   "predictions/pre_activation",
                   square(keras.side, keras.mode)});
  }
  return all;
}

/// Pictures of one size as a plan takes them: resized already, or as they are with a table.
struct Pictures {
  std::int64_t count = 1;
  std::vector<std::uint8_t> resized{};
  std::vector<std::uint8_t> pixels{};
  std::vector<std::int64_t> table{};  ///< width, height and offset of each
};

/// What leaves a plan.
struct Scores {
  std::vector<float> logits;
  std::vector<float> probabilities;  ///< in the order of classes
};

/// Whatever a plan follows from: the nodes and the identity of their weights.
std::string identity(const Graph& graph) {
  std::string text = graph_json(graph);
  for (const Node& node : graph.nodes()) {
    if (const auto* constant = node.as<Constant>()) text += cat(constant->key(), '\n');
  }
  return text;
}

std::vector<std::vector<std::string>> pass_sets() {
  std::vector<std::vector<std::string>> sets{{}};
  std::vector<std::string> all;
  for (const Pass& pass : default_passes()) {
    all.emplace_back(pass.name);
    sets.push_back({all.back()});
  }
  sets.push_back(all);
  return sets;
}

class PassSets : public test::SharedDataTest, public testing::WithParamInterface<Network> {
 protected:
  [[nodiscard]] Model model() const {
    const Network& network = GetParam();
    if (network.onnx.empty()) return test::open_random(network.name, 1);
    nlohmann::json facts;
    std::ifstream(golden(".json")) >> facts;
    ModelOptions options;
    options.weights = (folder_.path() / "weights.onnx").native();
    test::write_filled_onnx(
        shared_ / "data" / "onnx-light" / network.onnx, 1, facts.at("head"), options.weights);
    return open_model(network.name, options);
  }

  /// The network with its head, and a tail that ranks all classes; the logits leave it as well.
  [[nodiscard]] Graph graph(const Model& model) const {
    const Graph& network = ModelGraphAccess::graph(model.graph());
    const ClassifierShape shape = classifier_shape(network, InputLayout::kNhwc);
    Graph graph = classify_graph(network, shape, GetParam().spec, shape.classes, false);
    graph.mark_output({graph.find(GetParam().logits), 0}, "logits");
    return graph;
  }

  [[nodiscard]] Pictures pictures() const {
    const PreprocessSpec& spec = GetParam().spec;
    if (spec.color == ColorMode::kGrayscale) return digits();
    const Image photo =
        decode_file((shared_ / "data" / "imagenet" / "keras_elephant.jpg").string());
    const Image resized = resize(photo.view(), spec);
    return {.resized = {resized.data(), resized.data() + resized.bytes()},
            .pixels = {photo.data(), photo.data() + photo.bytes()},
            .table = {photo.width(), photo.height(), 0}};
  }

  [[nodiscard]] std::filesystem::path golden(const char* extension) const {
    return shared_ / "goldens" / (GetParam().golden + extension);
  }

  void expect_golden(const Scores& scores) const {
    const std::string prefix = "seed1/" + GetParam().pictures + "/";
    const bool exact = goldens_.count(prefix + "logits_f64") != 0;
    const std::string suffix = exact ? "_f64" : "";
    test::expect_logits(scores.logits, goldens_.at(prefix + "logits" + suffix).values);
    test::expect_probabilities(scores.probabilities,
                               goldens_.at(prefix + "probabilities" + suffix).values);
  }

  void SetUp() override {
    SharedDataTest::SetUp();
    if (!shared_.empty()) goldens_ = test::read_goldens(golden(".safetensors"));
  }

 private:
  /// They have the network's size.
  [[nodiscard]] Pictures digits() const {
    Pictures digits{.count = 16};
    for (const float x : test::mnist_digits(shared_, 16)) {
      digits.pixels.push_back(static_cast<std::uint8_t>(std::lround(x * 255.0F)));
    }
    digits.resized = digits.pixels;
    for (std::int64_t i = 0; i < digits.count; ++i) {
      digits.table.insert(digits.table.end(), {28, 28, i * 28 * 28});
    }
    return digits;
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
  std::map<std::string, test::GoldenTensor> goldens_;
};

template <typename T>
std::vector<T> values_of(const TensorInfo& output, std::int64_t batch) {
  return std::vector<T>(
      static_cast<std::size_t>(num_elements(with_batch(output.desc, batch).shape)));
}

Scores run(const std::shared_ptr<const ExecutionPlan>& plan, const Pictures& pictures) {
  std::vector<std::uint8_t> pixels = pictures.pixels;
  std::vector<std::span<const std::byte>> in{std::as_bytes(std::span(pictures.resized))};
  if (plan->inputs.size() == 2) {  // it resizes the pictures itself
    pixels.resize(byte_size(with_batch(plan->inputs[0].desc, pictures.count)));
    in = {std::as_bytes(std::span(pixels)), std::as_bytes(std::span(pictures.table))};
  }
  auto best = values_of<float>(plan->outputs.at(0), pictures.count);
  auto classes = values_of<std::int32_t>(plan->outputs.at(1), pictures.count);
  Scores scores{values_of<float>(plan->outputs.at(2), pictures.count),
                std::vector<float>(best.size())};
  const std::vector<std::span<std::byte>> out{std::as_writable_bytes(std::span(best)),
                                              std::as_writable_bytes(std::span(classes)),
                                              std::as_writable_bytes(std::span(scores.logits))};

  ExecutionContext(plan).run(pictures.count, in, out);

  const std::size_t width = best.size() / static_cast<std::size_t>(pictures.count);
  for (std::size_t i = 0; i < best.size(); ++i) {
    scores.probabilities.at(i / width * width + static_cast<std::size_t>(classes[i])) = best[i];
  }
  return scores;
}

TEST_P(PassSets, KeepTheGolden) {
  const Graph network = graph(model());
  const Pictures input = pictures();
  const auto backend = make_backend("cpu");
  WeightStore weights(*backend);
  std::set<std::string> seen;

  const auto sets = pass_sets();
  for (const std::vector<std::string>& disabled : sets) {
    SCOPED_TRACE(
        cat(disabled.size(), " left out, the first: ", disabled.empty() ? "-" : disabled[0]));
    Graph rewritten = network;
    PassContext context{.traits = backend->traits(), .report = {}};
    run_passes(rewritten, passes_without(disabled), context);
    if (!seen.insert(identity(rewritten)).second) continue;  // the plan is one that ran already
    const PlanOptions options{
        .buckets = {input.count}, .exact_convolutions = true, .disabled_passes = disabled};

    expect_golden(run(compile_plan(network, backend, options, weights), input));
  }
  // All, none, and all without each of fuse-activation, fuse-softmax-top-k and resize-on-host,
  // which every one of these networks needs.
  EXPECT_GE(seen.size(), 5U);
  std::printf(
      "%s: %zu sets of passes make %zu plans\n", GetParam().name.c_str(), sets.size(), seen.size());
}

INSTANTIATE_TEST_SUITE_P(Networks,
                         PassSets,
                         testing::ValuesIn(networks()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace fovea
