// Pillow's image resampling, bit for bit.
//
// Source: the fixed-point algorithm of Pillow's src/libImaging/Resample.c and the nearest-neighbour
// walk of src/libImaging/Geometry.c, described in their own terms; the code here is written from
// that description.
#pragma once

#include <array>

#include <fovea/image.h>

namespace fovea {

/// The part of a picture that is resampled: left, top, right, bottom in pixels, fractions allowed.
using ResampleBox = std::array<float, 4>;

/// The box of `image`, resampled to width x height, written with rows `out_stride` bytes apart.
///
/// out   height rows of width * pixel_bytes(format) bytes; must not overlap the picture
/// Throws InvalidArgument for a size below 1 or a box outside the picture. Allocates a temporary of
/// at most width * image.height pixels. Thread-safe.
void resample(const ImageView& image,
              const ResampleBox& box,
              int width,
              int height,
              Interpolation interpolation,
              std::uint8_t* out,
              std::ptrdiff_t out_stride);

/// `image` resized and cropped as `spec` says (see <fovea/image.h> resize), written to `out` as
/// packed rows of spec.width x spec.height pixels. Throws InvalidArgument for a spec without a
/// size.
void resize_into(const ImageView& image, const PreprocessSpec& spec, std::uint8_t* out);

}  // namespace fovea
