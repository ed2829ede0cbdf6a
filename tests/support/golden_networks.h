// Running zoo networks through the public API on what the goldens were made from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/model.h>
#include <fovea/preprocess.h>

namespace fovea::test {

/// The outputs and taps of one run by name, float32.
using Outputs = std::map<std::string, std::vector<float>>;

/// A network of the zoo with "random:SEED" weights.
[[nodiscard]] Model open_random(std::string_view network, std::uint64_t seed);

/// One run of the model, compiled for `batch` pictures, one thread and the given
/// CompileOptions::convolution and precision. Goldens with tolerances of a few roundings take
/// "direct".
[[nodiscard]] Outputs run_model(const Model& model,
                                std::string_view backend,
                                std::int64_t batch,
                                const std::vector<float>& input,
                                const std::vector<std::string>& taps,
                                std::string_view convolution = "direct",
                                Precision precision = Precision::kFp32);

/// run_model of open_random.
[[nodiscard]] Outputs run_zoo(std::string_view network,
                              std::uint64_t seed,
                              std::string_view backend,
                              std::int64_t batch,
                              const std::vector<float>& input,
                              const std::vector<std::string>& taps);

/// A photograph as a network's input: decoded, resized to side x side with Pillow's nearest,
/// normalised.
[[nodiscard]] std::vector<float> photograph(const std::filesystem::path& file,
                                            int side,
                                            Normalization mode);

/// formula:side:side:1, normalised.
[[nodiscard]] std::vector<float> formula(int side, Normalization mode);

/// The first `count` digits of the MNIST test set below the shared data, every byte divided by 255.
[[nodiscard]] std::vector<float> mnist_digits(const std::filesystem::path& shared,
                                              std::size_t count);

/// Expects every logit to be within 1e-4 of the range of all, every probability within 2e-6 + 1e-4
/// of its value.
void expect_logits(const std::vector<float>& logits, const std::vector<double>& want);
void expect_probabilities(const std::vector<float>& probabilities, const std::vector<double>& want);

/// A network of keras.applications, which has its goldens under goldens/keras/<golden>.*.
struct KerasNetwork {
  std::string_view name;
  std::string golden;
  int side = 0;  ///< of its pictures
  Normalization mode{};
  std::size_t layers = 0;
};

/// The name: what parametrised tests are called after.
std::ostream& operator<<(std::ostream& stream, const KerasNetwork& network);

/// All five.
[[nodiscard]] std::vector<KerasNetwork> keras_networks();

/// One row of a golden's layers.tsv.
struct LayerRow {
  std::string name;
  double mean = 0;
  double std = 0;
  double min = 0;
  double max = 0;
  std::vector<double> probes;  ///< element i * (n / 8)
};

[[nodiscard]] std::vector<LayerRow> read_layers(const std::filesystem::path& file);

/// Expects every row to hold for the value of its name. Means and probes are compared on the scale
/// of the layer's own range.
void expect_layers(const std::vector<LayerRow>& rows, const Outputs& values);

}  // namespace fovea::test
