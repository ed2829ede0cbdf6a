// The zoo's networks on random weights, by the definitions of their operators, against Keras.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

#include "engine/api/model_graph.h"
#include "engine/core/safetensors.h"
#include "engine/graph/random_weights.h"
#include "engine/graph/weights.h"
#include "models/builders/zoo.h"
#include "models/embedded.h"
#include "tests/support/evaluate_graph.h"
#include "tests/support/golden_networks.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/shared_data.h"

namespace fovea {
namespace {

using ZooGolden = test::SharedDataTest;

/// Largest differences from Keras that a float32 engine may have. Keras's own float32 and float64
/// runs differ by up to 2.1e-5 in logits and 4.0e-7 in probabilities.
struct Limits {
  double logits;
  double probabilities;
};

constexpr Limits kFromFloat32{1e-4, 5e-6};
constexpr Limits kFromFloat64{5e-5, 2e-6};

/// The network of that name with random weights, for `batch` pictures.
Graph network(std::string_view name,
              zoo::InputSize size,
              std::int64_t batch,
              std::uint64_t seed,
              double head) {
  Graph graph = with_batch(ModelGraphAccess::graph(zoo::find(name).build(size)), batch);
  fill_random_weights(graph, seed, head);
  return graph;
}

/// `count` bytes of a compressed file, from byte `first` of its content.
std::vector<unsigned char> read_compressed(const std::filesystem::path& path,
                                           std::size_t first,
                                           std::size_t count) {
  std::vector<unsigned char> bytes(count);
  const gzFile file = gzopen(path.c_str(), "rb");
  (void)gzseek(file, static_cast<z_off_t>(first), SEEK_SET);
  const int got = gzread(file, bytes.data(), static_cast<unsigned>(count));
  (void)gzclose(file);
  EXPECT_EQ(got, static_cast<int>(count)) << path;
  return bytes;
}

/// `count` digits of the MNIST test set from number `first` on, every byte divided by 255.
std::vector<float> digits(const std::filesystem::path& shared,
                          std::size_t first,
                          std::size_t count) {
  constexpr std::size_t kHeader = 16;
  constexpr std::size_t kPixels = std::size_t{28} * 28;
  const auto bytes = read_compressed(shared / "data" / "mnist" / "t10k-images-idx3-ubyte.gz",
                                     kHeader + first * kPixels,
                                     count * kPixels);
  std::vector<float> pixels;
  pixels.reserve(bytes.size());
  for (const unsigned char byte : bytes) pixels.push_back(static_cast<float>(byte) / 255.0F);
  return pixels;
}

double largest_difference(const std::vector<float>& ours, const std::vector<double>& golden) {
  EXPECT_EQ(ours.size(), golden.size());
  double largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double difference = std::abs(static_cast<double>(ours[i]) - golden.at(i));
    if (!(difference <= largest)) largest = difference;  // also for NaN
  }
  return largest;
}

/// Compares the values before and after the softmax of layer `last` with the goldens
/// "<prefix>logits<suffix>" and "<prefix>probabilities<suffix>".
void expect_close(const std::map<std::string, std::vector<float>>& values,
                  const std::string& last,
                  const std::map<std::string, test::GoldenTensor>& goldens,
                  const std::string& prefix,
                  const std::string& suffix,
                  const Limits& limits) {
  const double logits = largest_difference(values.at(last + "/pre_activation"),
                                           goldens.at(prefix + "logits" + suffix).values);
  const double probabilities =
      largest_difference(values.at(last), goldens.at(prefix + "probabilities" + suffix).values);
  EXPECT_LE(logits, limits.logits) << prefix << suffix;
  EXPECT_LE(probabilities, limits.probabilities) << prefix << suffix;
  testing::Test::RecordProperty(prefix + "logits" + suffix, testing::PrintToString(logits));
}

}  // namespace

TEST_F(ZooGolden, LeNet5OnDigits) {
  const auto goldens = test::read_goldens(shared_ / "goldens" / "lenet" / "LeNet5.safetensors");
  const std::vector<float> pixels = digits(shared_, 0, 16);

  for (const std::uint64_t seed : {1U, 2U}) {
    const auto values =
        test::evaluate_graph(network("lenet5", {28, 28}, 16, seed, 4.0), {{"input_layer", pixels}});

    const std::string prefix = "seed" + std::to_string(seed) + "/digits/";
    expect_close(values, "output", goldens, prefix, "", kFromFloat32);
    if (seed == 1) expect_close(values, "output", goldens, prefix, "_f64", kFromFloat64);
  }
}

TEST_F(ZooGolden, TrainedLeNet5ReadsDigitsThatItHasNotSeen) {
  constexpr std::size_t kFirst = 8000;  // training used the digits before
  constexpr std::size_t kCount = 2000;
  const auto labels =
      read_compressed(shared_ / "data" / "mnist" / "t10k-labels-idx1-ubyte.gz", 8 + kFirst, kCount);
  Graph graph = with_batch(ModelGraphAccess::graph(zoo::find("lenet5").build({28, 28})), kCount);
  const EmbeddedFile* weights = find_embedded_file("lenet5/weights.safetensors");
  ASSERT_NE(weights, nullptr);
  load_weights(graph, parse_safetensors(weights->bytes));

  const auto values =
      test::evaluate_graph(graph, {{"input_layer", digits(shared_, kFirst, kCount)}});

  const std::vector<float>& probabilities = values.at("output");
  int right = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto row = std::span(probabilities).subspan(10 * i, 10);
    right += std::max_element(row.begin(), row.end()) - row.begin() == labels[i] ? 1 : 0;
  }
  EXPECT_EQ(right, 1978);  // as a float64 program in NumPy on the same weights
}

/// A network of keras.applications, which has its goldens under `golden`.
struct KerasNetwork {
  std::string_view name;
  std::string golden;
  int side;
  Normalization mode;
  double head;
};

std::ostream& operator<<(std::ostream& stream, const KerasNetwork& network) {
  return stream << network.name;
}

class KerasDefinitions : public test::SharedDataTest,
                         public testing::WithParamInterface<KerasNetwork> {};

/// VGG is left out for its time: it has no operator that LeNet-5 and these do not have.
TEST_P(KerasDefinitions, OnAFormulaPicture) {
  const KerasNetwork& keras = GetParam();
  const auto goldens =
      test::read_goldens(shared_ / "goldens" / "keras" / (keras.golden + ".safetensors"));
  const std::vector<float> pixels = test::formula(keras.side, keras.mode);

  for (const std::uint64_t seed : {1U, 2U}) {
    const auto values =
        test::evaluate_graph(network(keras.name, {keras.side, keras.side}, 1, seed, keras.head),
                             {{"input_layer", pixels}});

    const std::string prefix = "seed" + std::to_string(seed) + "/formula/";
    expect_close(values, "predictions", goldens, prefix, "", kFromFloat32);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks,
    KerasDefinitions,
    testing::Values(KerasNetwork{"resnet50", "ResNet50", 224, Normalization::kCaffe, 2.0},
                    KerasNetwork{"inception_v3", "InceptionV3", 299, Normalization::kTf, 1.0},
                    KerasNetwork{"xception", "Xception", 299, Normalization::kTf, 1.0}),
    testing::PrintToStringParamName());

}  // namespace fovea
