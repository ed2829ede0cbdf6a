#include <limits>

#include <fovea/image.h>

#include "engine/core/require.h"

namespace fovea {

Image::Image(int width, int height, PixelFormat format)
    : width_(width), height_(height), format_(format) {
  if (width < 1 || height < 1) {
    throw InvalidArgument(
        cat("a picture needs at least one pixel, but ", width, " x ", height, " were asked for"));
  }
  pixels_ = std::make_unique_for_overwrite<std::uint8_t[]>(bytes());
}

}  // namespace fovea
