#include "engine/core/normalize.h"

#include <cmath>
#include <span>

#include <fovea/image.h>

#include "engine/core/require.h"

namespace fovea {

NormalizationTable::NormalizationTable(const NormalizationConstants& constants)
    : values_(), swap_red_blue_(constants.swap_red_blue) {
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      // Three statements: every step is rounded to float32, as NumPy's in-place operators do.
      float value = static_cast<float>(byte) / constants.divisor;
      value -= constants.mean[c];
      value /= constants.scale[c];
      values_[c][byte] = value;
    }
  }
}

void NormalizationTable::apply(const std::uint8_t* in,
                               std::size_t pixels,
                               std::size_t channels,
                               float* out,
                               std::size_t out_channels) const {
  for (std::size_t i = 0; i < pixels; ++i, in += channels, out += out_channels) {
    if (channels == 3) {
      out[0] = values_[0][in[swap_red_blue_ ? 2 : 0]];
      out[1] = values_[1][in[1]];
      out[2] = values_[2][in[swap_red_blue_ ? 0 : 2]];
    } else {
      out[0] = values_[0][in[0]];
    }
    for (std::size_t c = channels; c < out_channels; ++c) out[c] = 0.0F;
  }
}

void normalize(const ImageView& image, Normalization mode, std::span<float> out) {
  require(image.format != PixelFormat::kGray16,
          "a 16-bit picture cannot be normalised: the modes are defined on bytes; convert it to 8 "
          "bits, or load it as rgb");
  const bool needs_color = mode == Normalization::kCaffe || mode == Normalization::kTorch;
  if (needs_color && image.format != PixelFormat::kRgb8) {
    throw InvalidArgument(
        cat("normalization '",
            to_string(mode),
            "' has constants for three channels, but the picture is gray; load it "
            "as rgb"));
  }
  const auto channels = static_cast<std::size_t>(pixel_bytes(image.format));
  const auto width = static_cast<std::size_t>(image.width);
  const auto height = static_cast<std::size_t>(image.height);
  if (out.size() != width * height * channels) {
    throw InvalidArgument(cat("the picture has ",
                              width * height * channels,
                              " values, but the output has room for ",
                              out.size()));
  }
  const NormalizationTable table(normalization_constants(mode));
  for (std::size_t row = 0; row < height; ++row) {
    table.apply(image.data + static_cast<std::ptrdiff_t>(row) * image.stride,
                width,
                channels,
                out.data() + row * width * channels,
                channels);
  }
}

}  // namespace fovea
