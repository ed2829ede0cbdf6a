#include <array>
#include <cstddef>
#include <span>
#include <string>

#include <fovea/image.h>
#include <fovea/preprocess.h>

#include "engine/core/require.h"

namespace fovea {

namespace {

// Each in the order of its enum.
constexpr std::array<std::string_view, 6> kInterpolations{
    "nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"};
constexpr std::array<std::string_view, 3> kFits{"stretch", "keep-aspect-ratio", "centre-crop"};
constexpr std::array<std::string_view, 2> kColorModes{"rgb", "grayscale"};
constexpr std::array<std::string_view, 5> kNormalizations{"none", "caffe", "tf", "torch", "unit"};

template <typename Enum>
Enum parse(std::string_view text, std::string_view what, std::span<const std::string_view> words) {
  std::string accepted;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == text) return static_cast<Enum>(i);
    accepted += cat(i == 0 ? "" : ", ", words[i]);
  }
  throw InvalidArgument(cat("'", text, "' is no ", what, "; use one of: ", accepted));
}

template <std::size_t Count, typename Enum>
std::string_view word(const std::array<std::string_view, Count>& words, Enum value) {
  return words.at(static_cast<std::size_t>(value));
}

}  // namespace

std::string_view to_string(Interpolation value) {
  return word(kInterpolations, value);
}

std::string_view to_string(Fit value) {
  return word(kFits, value);
}

std::string_view to_string(ColorMode value) {
  return word(kColorModes, value);
}

std::string_view to_string(Normalization value) {
  return word(kNormalizations, value);
}

Interpolation parse_interpolation(std::string_view text) {
  return parse<Interpolation>(text, "interpolation", kInterpolations);
}

Fit parse_fit(std::string_view text) {
  return parse<Fit>(text, "fit", kFits);
}

ColorMode parse_color_mode(std::string_view text) {
  return parse<ColorMode>(text, "color mode", kColorModes);
}

Normalization parse_normalization(std::string_view text) {
  return parse<Normalization>(text, "normalization", kNormalizations);
}

NormalizationConstants normalization_constants(Normalization mode) {
  switch (mode) {
    case Normalization::kNone:
      return {};
    case Normalization::kCaffe:
      return {.swap_red_blue = true, .mean = {103.939F, 116.779F, 123.68F}};
    case Normalization::kTf:
      return {.divisor = 127.5F, .mean = {1.0F, 1.0F, 1.0F}};
    case Normalization::kTorch:
      return {
          .divisor = 255.0F, .mean = {0.485F, 0.456F, 0.406F}, .scale = {0.229F, 0.224F, 0.225F}};
    case Normalization::kUnit:
      return {.divisor = 255.0F};
  }
  throw InvalidArgument("not a Normalization");
}

}  // namespace fovea
