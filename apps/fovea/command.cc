#include "apps/fovea/command.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <sstream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <fovea/diagnostics.h>
#include <fovea/zoo.h>

#include "apps/fovea/download.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

/// The value of a whole non-negative decimal number, or -1.
int parse_number(std::string_view text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : -1;
}

}  // namespace

int exit_code(ErrorCode code) {
  const std::string_view text = to_string(code);
  const std::string_view area = text.substr(0, text.find('/'));
  if (code == ErrorCode::kWeightsOffline || code == ErrorCode::kWeightsDownload) return 5;
  if (area == "image" || area == "queue") return kExitSomeFailed;
  if (area == "argument") return kExitUsage;
  if (area == "model" || area == "weights" || area == "plan") return 3;
  if (area == "device") return 4;
  if (area == "io") return 5;
  return 70;
}

void ModelArguments::add_to(CLI::App& command, bool with_backend) {
  command
      .add_option(
          "MODEL",
          model,
          "a network of the zoo (fovea models list), an ONNX file, a model package or a plan file")
      ->required();
  command
      .add_option(
          "--weights",
          weights,
          "imagenet (the network's own), random[:SEED], or a file (Keras .h5, ONNX, safetensors)")
      ->capture_default_str();
  command.add_option("--input-size", input_size, "HxW, where the network allows another size");
  if (!with_backend) return;
  std::string backends = "auto";
  for (const std::string& name : backend_names()) backends += ", " + name;
  command.add_option("--backend", backend, backends)->capture_default_str();
  command
      .add_option("--device",
                  device,
                  "CUDA device, a number; classify and bench from pictures also take several, "
                  "separated by commas, or all")
      ->capture_default_str();
  command.add_option(
      "--precision",
      precision,
      "fp32, bf16, on cuda also tf32 and fp16; inputs and outputs stay fp32 (default: what a plan "
      "was compiled in, else fp32)");
  command
      .add_option(
          "--convolution", convolution, "auto (the fastest) or direct (no Winograd: less rounding)")
      ->capture_default_str();
  command.add_option("--threads", threads, "CPU threads; 0: all that the process may use")
      ->capture_default_str();
  tactics.add_to(command);
}

void TacticArguments::add_to(CLI::App& command) {
  command
      .add_option("--tuning",
                  tuning,
                  "off, fast or full: measure how each operation is computed fastest here; times "
                  "are kept in the cache")
      ->capture_default_str();
  command.add_option("--tuning-seconds",
                     tuning_seconds,
                     "the most that is measured; 0: 13 for fast, 600 for full");
  command.add_option(
      "--lock",
      lock,
      "a JSON file that says how nodes are computed, {\"tactics\": {NODE: NAME}}: fovea compile "
      "--save-tactics writes one");
}

void print_notices(std::span<const std::string> notices) {
  for (const std::string& notice : notices) {
    const std::string text = "fovea: note: " + one_line(notice);
    std::fprintf(stderr, "%s\n", wrap(text, /*indent=*/2).c_str());
  }
}

ModelOptions ModelArguments::model_options() const {
  if (backend != "auto" && target.empty()) {
    for (const int number : devices_of(backend)) check_device(backend, number);
  }
  ModelOptions options;
  options.weights = weights;
  options.on_download = show_downloads();
  if (!input_size.empty()) options.input_size = parse_size(input_size);
  return options;
}

std::vector<std::string> ModelArguments::files() const {
  std::vector<std::string> names{weights, tactics.lock};
  if (!is_zoo_network(model)) names.push_back(model);
  return names;
}

std::vector<int> ModelArguments::devices(const Model& opened) const {
  return devices_of(backend == "auto" && device == "all" ? opened.default_backend() : backend);
}

std::vector<int> ModelArguments::devices_of(const std::string& named) const {
  std::vector<int> numbers;
  if (device == "all") {
    numbers.resize(static_cast<std::size_t>(std::max(1, device_count(named))));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
  }
  std::istringstream list(device + ',');
  for (std::string number; std::getline(list, number, ',');) {
    numbers.push_back(parse_number(number));
    if (numbers.back() < 0) {
      throw InvalidArgument("--device is a number, several separated by commas, or all; not '" +
                            device + "'");
    }
  }
  return numbers;
}

int ModelArguments::only_device(const Model& opened) const {
  const std::vector<int> numbers = devices(opened);
  if (numbers.size() > 1) {
    throw InvalidArgument("this command uses one device; --device " + device + " names " +
                          std::to_string(numbers.size()));
  }
  return numbers.front();
}

Precision ModelArguments::checked_precision(const Model& opened) const {
  const Precision wanted = precision.empty()
                               ? opened.default_precision(backend, devices(opened).front())
                               : parse_precision(precision);
  const std::string note = precision_note(backend, wanted);
  if (!note.empty()) std::fprintf(stderr, "fovea: note: %s\n", note.c_str());
  return wanted;
}

void PreprocessArguments::add_to(CLI::App& command) {
  command.add_option("--mode", mode, "none, caffe, tf, torch or unit (x / 255)");
  command.add_option(
      "--interpolation", interpolation, "nearest, bilinear, bicubic, hamming, box or lanczos");
  command.add_option("--color", color, "rgb or grayscale");
  auto* keep = command.add_flag("--keep-aspect-ratio",
                                keep_aspect_ratio,
                                "resize the largest centred box of the target's ratio");
  command
      .add_option("--shorter-side",
                  shorter_side,
                  "resize the shorter side to so many pixels, then cut the centre")
      ->excludes(keep);
}

void PreprocessArguments::apply(ModelOptions& options) const {
  if (!mode.empty()) options.mode = parse_normalization(mode);
  if (!interpolation.empty()) options.interpolation = parse_interpolation(interpolation);
  if (!color.empty()) options.color = parse_color_mode(color);
  if (keep_aspect_ratio) options.fit = Fit::kKeepAspectRatio;
  if (shorter_side) {
    options.fit = Fit::kCentreCrop;
    options.shorter_side = shorter_side;
  }
}

void PreprocessArguments::apply(PreprocessSpec& spec) const {
  ModelOptions options;
  apply(options);
  spec.mode = options.mode.value_or(spec.mode);
  spec.interpolation = options.interpolation.value_or(spec.interpolation);
  spec.color = options.color.value_or(spec.color);
  spec.fit = options.fit.value_or(spec.fit);
  spec.shorter_side = options.shorter_side.value_or(spec.shorter_side);
}

bool is_zoo_network(std::string_view model) {
  const auto names = zoo_names();
  return std::ranges::find(names, model) != names.end();
}

std::pair<int, int> parse_size(const std::string& text) {
  const std::size_t x = text.find('x');
  const int height = parse_number(std::string_view(text).substr(0, x));
  const int width =
      x == std::string::npos ? -1 : parse_number(std::string_view(text).substr(x + 1));
  if (height < 1 || width < 1) {
    throw InvalidArgument("a size is HxW in pixels, for example 224x224, not '" + text + "'");
  }
  return {height, width};
}

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_float(float value) {
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

}  // namespace fovea::app
