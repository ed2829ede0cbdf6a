// What a PreprocessSpec means for a picture of a certain size.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <fovea/image.h>

#include "engine/core/largest_side.h"
#include "engine/core/require.h"
#include "engine/core/resample.h"

namespace fovea {

namespace {

ResampleBox whole(int width, int height) {
  return {0.0F, 0.0F, static_cast<float>(width), static_cast<float>(height)};
}

/// Keras's load_img with keep_aspect_ratio: all in integers. A side may come out as 0.
ResampleBox ratio_box(int width, int height, const PreprocessSpec& spec) {
  const std::int64_t w = width;
  const std::int64_t h = height;
  const std::int64_t crop_height = std::min(h, w * spec.height / spec.width);
  const std::int64_t crop_width = std::min(w, h * spec.width / spec.height);
  const std::int64_t top = (h - crop_height) / 2;
  const std::int64_t left = (w - crop_width) / 2;
  return {static_cast<float>(left),
          static_cast<float>(top),
          static_cast<float>(left + crop_width),
          static_cast<float>(top + crop_height)};
}

/// Half of a surplus >= 0; a half pixel goes to the even neighbour, as Python's round does.
int half_to_even(int surplus) {
  const int half = surplus / 2;
  return surplus % 2 == 0 || half % 2 == 0 ? half : half + 1;
}

/// The longer side for a shorter side of `target`: divided in double, rounded down.
int scaled_side(int target, int longer, int shorter) {
  const double side = static_cast<double>(static_cast<std::int64_t>(target) * longer) / shorter;
  if (side > kLargestSide) {
    throw InvalidArgument(cat("with its shorter side resized to ",
                              target,
                              " pixels the picture's longer side would be ",
                              static_cast<std::int64_t>(side),
                              " pixels, more than ",
                              kLargestSide));
  }
  return static_cast<int>(side);
}

ResizeGeometry centre_crop(int width, int height, const PreprocessSpec& spec) {
  if (spec.shorter_side < std::max(spec.width, spec.height) || spec.shorter_side > kLargestSide) {
    throw InvalidArgument(cat("centre-crop to ",
                              spec.height,
                              "x",
                              spec.width,
                              " (height x width) needs a shorter_side from ",
                              std::max(spec.width, spec.height),
                              " to ",
                              kLargestSide,
                              ", but it is ",
                              spec.shorter_side));
  }
  ResizeGeometry geometry{.box = whole(width, height)};
  geometry.width =
      width <= height ? spec.shorter_side : scaled_side(spec.shorter_side, width, height);
  geometry.height =
      width <= height ? scaled_side(spec.shorter_side, height, width) : spec.shorter_side;
  geometry.left = half_to_even(geometry.width - spec.width);
  geometry.top = half_to_even(geometry.height - spec.height);
  return geometry;
}

}  // namespace

ResizeGeometry resize_geometry(int width, int height, const PreprocessSpec& spec) {
  require(width >= 1 && height >= 1, "resize needs a picture with pixels");
  if (spec.width < 1 || spec.width > kLargestSide || spec.height < 1 ||
      spec.height > kLargestSide) {
    throw InvalidArgument(cat("a picture can be resized to 1 to ",
                              kLargestSide,
                              " pixels a side, but height x width is ",
                              spec.height,
                              "x",
                              spec.width));
  }
  if (spec.fit == Fit::kCentreCrop) return centre_crop(width, height, spec);
  // load_img leaves a picture of the target size alone, and its whole is then the box as well.
  ResizeGeometry geometry{.width = spec.width, .height = spec.height};
  geometry.box =
      spec.fit == Fit::kKeepAspectRatio ? ratio_box(width, height, spec) : whole(width, height);
  return geometry;
}

Image resize(const ImageView& image, const PreprocessSpec& spec) {
  if (spec.height == 0 && spec.width == 0) {
    Image copy(image.width, image.height, image.format);
    for (int y = 0; y < image.height; ++y) {
      std::memcpy(copy.data() + y * copy.stride(),
                  image.data + y * image.stride,
                  static_cast<std::size_t>(copy.stride()));
    }
    return copy;
  }
  // The geometry is checked before the target is allocated.
  (void)resize_geometry(image.width, image.height, spec);
  Image resized(spec.width, spec.height, image.format);
  resize_into(image, spec, resized.data());
  return resized;
}

}  // namespace fovea
