// How a picture becomes a network's input: part of every model's contract.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace fovea {

/// Pillow's six resampling filters, with Pillow's antialiasing.
enum class Interpolation : std::uint8_t { kNearest, kBilinear, kBicubic, kHamming, kBox, kLanczos };

/// How the target's aspect ratio is met.
enum class Fit : std::uint8_t {
  kStretch,          ///< resize the whole picture: Keras's load_img
  kKeepAspectRatio,  ///< resize the largest centred box of the target's ratio:
                     ///< keep_aspect_ratio=True
  kCentreCrop,       ///< resize so that the shorter side is `shorter_side`, then cut the centre
};

enum class ColorMode : std::uint8_t { kRgb, kGrayscale };

/// Keras's preprocess_input modes, and kUnit for networks that were trained on byte / 255.
enum class Normalization : std::uint8_t {
  kNone,   ///< the bytes themselves
  kCaffe,  ///< RGB to BGR, minus (103.939, 116.779, 123.68)
  kTf,     ///< x / 127.5 - 1
  kTorch,  ///< (x / 255 - mean) / std of ImageNet
  kUnit,   ///< x / 255
};

/// The preprocessing contract of a model. `height` 0 keeps the picture's own size.
struct PreprocessSpec {
  int height = 0;  ///< pixels, 0 to 16,384
  int width = 0;   ///< pixels, 0 exactly where height is 0
  Interpolation interpolation = Interpolation::kNearest;
  Fit fit = Fit::kStretch;
  int shorter_side = 0;  ///< pixels; only for kCentreCrop, at least the larger of height and width
  ColorMode color = ColorMode::kRgb;
  Normalization mode = Normalization::kNone;

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("height", self.height);
    visit("width", self.width);
    visit("interpolation", self.interpolation);
    visit("fit", self.fit);
    visit("shorter_side", self.shorter_side);
    visit("color", self.color);
    visit("mode", self.mode);
  }

  bool operator==(const PreprocessSpec&) const = default;
};

/// Text as in manifests and on the command line ("bilinear", "keep-aspect-ratio", "caffe", ...).
[[nodiscard]] std::string_view to_string(Interpolation value);
[[nodiscard]] std::string_view to_string(Fit value);
[[nodiscard]] std::string_view to_string(ColorMode value);
[[nodiscard]] std::string_view to_string(Normalization value);

/// Inverse of to_string. Each throws InvalidArgument that lists the accepted words.
[[nodiscard]] Interpolation parse_interpolation(std::string_view text);
[[nodiscard]] Fit parse_fit(std::string_view text);
[[nodiscard]] ColorMode parse_color_mode(std::string_view text);
[[nodiscard]] Normalization parse_normalization(std::string_view text);

/// y[c] = ((x[swap ? 2 - c : c] / divisor) - mean[c]) / scale[c] in float32, rounded after every
/// step: the one formula behind all modes, exactly as NumPy computes them.
struct NormalizationConstants {
  bool swap_red_blue = false;
  float divisor = 1.0F;
  std::array<float, 3> mean{0.0F, 0.0F, 0.0F};
  std::array<float, 3> scale{1.0F, 1.0F, 1.0F};

  template <typename Self, typename Visit>
  static void attributes(Self& self, Visit&& visit) {
    visit("swap_red_blue", self.swap_red_blue);
    visit("divisor", self.divisor);
    visit("mean", self.mean);
    visit("scale", self.scale);
  }

  bool operator==(const NormalizationConstants&) const = default;
};

/// Source: preprocess_input in keras/src/applications/imagenet_utils.py.
[[nodiscard]] NormalizationConstants normalization_constants(Normalization mode);

}  // namespace fovea
