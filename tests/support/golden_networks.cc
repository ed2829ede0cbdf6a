#include "tests/support/golden_networks.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include <gtest/gtest.h>
#include <zlib.h>

#include <fovea/compiler.h>
#include <fovea/context.h>
#include <fovea/image.h>

#include "engine/graph/random_weights.h"

namespace fovea::test {

Model open_random(std::string_view network, std::uint64_t seed) {
  ModelOptions options;
  options.weights = "random:" + std::to_string(seed);
  return open_model(network, options);
}

Outputs run_model(const Model& model,
                  std::string_view backend,
                  std::int64_t batch,
                  const std::vector<float>& input,
                  const std::vector<std::string>& taps,
                  std::string_view convolution,
                  Precision precision) {
  CompileOptions options;
  options.backend = backend;
  options.buckets = {batch};
  options.threads = 1;
  options.convolution = convolution;
  options.precision = precision;
  options.taps = taps;
  const auto plan = compile(model.graph(), options);

  std::vector<std::vector<float>> values;
  std::vector<std::span<std::byte>> out;
  for (const TensorInfo& output : plan->outputs()) {
    values.emplace_back(
        static_cast<std::size_t>(num_elements(with_batch(output.desc, batch).shape)));
  }
  for (auto& value : values) out.push_back(std::as_writable_bytes(std::span(value)));
  const std::span<const std::byte> in = std::as_bytes(std::span(input));
  Context(plan).run(batch, {&in, 1}, out);

  Outputs outputs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    outputs[plan->outputs()[i].name] = std::move(values[i]);
  }
  return outputs;
}

Outputs run_zoo(std::string_view network,
                std::uint64_t seed,
                std::string_view backend,
                std::int64_t batch,
                const std::vector<float>& input,
                const std::vector<std::string>& taps) {
  return run_model(open_random(network, seed), backend, batch, input, taps);
}

std::vector<float> photograph(const std::filesystem::path& file, int side, Normalization mode) {
  PreprocessSpec spec;
  spec.height = side;
  spec.width = side;
  const Image image = resize(decode_file(file.string()).view(), spec);
  std::vector<float> pixels(image.bytes());
  normalize(image.view(), mode, pixels);
  return pixels;
}

std::vector<float> formula(int side, Normalization mode) {
  const std::vector<std::uint8_t> bytes = formula_image(side, side, 1);
  const ImageView view{bytes.data(), side, side, std::ptrdiff_t{3} * side, PixelFormat::kRgb8};
  std::vector<float> pixels(bytes.size());
  normalize(view, mode, pixels);
  return pixels;
}

std::vector<float> mnist_digits(const std::filesystem::path& shared, std::size_t count) {
  const auto path = shared / "data" / "mnist" / "t10k-images-idx3-ubyte.gz";
  constexpr std::size_t kHeader = 16;
  std::vector<unsigned char> bytes(kHeader + count * 28 * 28);
  const gzFile file = gzopen(path.c_str(), "rb");
  const int got = gzread(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  (void)gzclose(file);
  if (got != static_cast<int>(bytes.size()))
    throw std::runtime_error("cannot read " + path.string());
  std::vector<float> pixels;
  pixels.reserve(bytes.size() - kHeader);
  for (std::size_t i = kHeader; i < bytes.size(); ++i) {
    pixels.push_back(static_cast<float>(bytes[i]) / 255.0F);
  }
  return pixels;
}

void expect_logits(const std::vector<float>& logits, const std::vector<double>& want) {
  ASSERT_EQ(logits.size(), want.size());
  const auto [lowest, highest] = std::minmax_element(want.begin(), want.end());
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_LE(std::abs(static_cast<double>(logits[i]) - want[i]), 1e-4 * (*highest - *lowest))
        << "logit of class " << i;
  }
}

void expect_probabilities(const std::vector<float>& probabilities,
                          const std::vector<double>& want) {
  ASSERT_EQ(probabilities.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_LE(std::abs(static_cast<double>(probabilities[i]) - want[i]), 2e-6 + 1e-4 * want[i])
        << "probability of class " << i;
  }
}

std::ostream& operator<<(std::ostream& stream, const KerasNetwork& network) {
  return stream << network.name;
}

std::vector<KerasNetwork> keras_networks() {
  return {{"vgg16", "VGG16", 224, Normalization::kCaffe, 23},
          {"vgg19", "VGG19", 224, Normalization::kCaffe, 26},
          {"resnet50", "ResNet50", 224, Normalization::kCaffe, 177},
          {"inception_v3", "InceptionV3", 299, Normalization::kTf, 313},
          {"xception", "Xception", 299, Normalization::kTf, 134}};
}

std::vector<LayerRow> read_layers(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  std::vector<LayerRow> rows;
  while (std::getline(stream, line)) {
    std::istringstream fields(line);
    LayerRow row;
    std::string index;
    std::string kind;
    std::string shape;
    fields >> index >> row.name >> kind >> shape >> row.mean >> row.std >> row.min >> row.max;
    for (double probe = 0; fields >> probe;) row.probes.push_back(probe);
    rows.push_back(std::move(row));
  }
  return rows;
}

void expect_layers(const std::vector<LayerRow>& rows, const Outputs& values) {
  ASSERT_FALSE(rows.empty());
  for (const LayerRow& row : rows) {
    ASSERT_TRUE(values.count(row.name) != 0) << "no value is called " << row.name;
    const std::vector<float>& x = values.at(row.name);
    const auto count = static_cast<double>(x.size());
    const double mean = std::accumulate(x.begin(), x.end(), 0.0) / count;
    double squares = 0;
    for (const float v : x) squares += (v - mean) * (v - mean);
    const auto [low, high] = std::minmax_element(x.begin(), x.end());
    const double tolerance = 1e-4 * std::max(row.max - row.min, 1e-6);
    EXPECT_NEAR(mean, row.mean, tolerance) << row.name;
    EXPECT_NEAR(std::sqrt(squares / count), row.std, tolerance) << row.name;
    EXPECT_NEAR(*low, row.min, tolerance) << row.name;
    EXPECT_NEAR(*high, row.max, tolerance) << row.name;
    for (std::size_t i = 0; i < row.probes.size(); ++i) {
      EXPECT_NEAR(x[i * (x.size() / 8)], row.probes[i], tolerance) << row.name << " probe " << i;
    }
  }
}

}  // namespace fovea::test
