#include "engine/pipeline/convert_color.h"

#include <cstring>

#include "engine/core/require.h"
#include "engine/pipeline/decode_color.h"

namespace fovea {

Image convert_color(const ImageView& image, ColorMode color) {
  require(image.format != PixelFormat::kGray16, "a 16-bit picture cannot be classified");
  require(image.data != nullptr && image.width >= 1 && image.height >= 1,
          "a picture has no pixels");
  const PixelFormat format = color == ColorMode::kRgb ? PixelFormat::kRgb8 : PixelFormat::kGray8;
  Image converted(image.width, image.height, format);
  const auto width = static_cast<std::size_t>(image.width);
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* from = image.data + y * image.stride;
    std::uint8_t* to = converted.data() + y * converted.stride();
    if (image.format == format) {
      std::memcpy(to, from, static_cast<std::size_t>(converted.stride()));
    } else if (color == ColorMode::kRgb) {
      gray_to_rgb(from, width, to);
    } else {
      rgb_to_gray(from, width, to);
    }
  }
  return converted;
}

}  // namespace fovea
