// Pillow's image resampling, bit for bit.
//
// Source: the fixed-point algorithm of Pillow's src/libImaging/Resample.c and the nearest-neighbour
// walk of src/libImaging/Geometry.c, described in their own terms; the code here is written from
// that description. The results are those of Pillow 13.
#pragma once

#include <array>

#include <fovea/image.h>

namespace fovea {

/// The part of a picture that is resampled: left, top, right, bottom in pixels, fractions allowed.
using ResampleBox = std::array<float, 4>;

/// How a spec is carried out on a picture of a certain size: `box` is resampled to
/// `width` x `height`, of which spec.width x spec.height pixels from (`left`, `top`) on are kept.
struct ResizeGeometry {
  ResampleBox box{};
  int width = 0;
  int height = 0;
  int left = 0;
  int top = 0;
};

/// kStretch: the whole picture. kKeepAspectRatio: the box of Keras's load_img, cut in integers.
/// kCentreCrop: as torchvision's Resize and CenterCrop: the shorter side becomes `shorter_side`,
/// the longer one int(shorter_side * longer / shorter), divided in double and rounded down; half of
/// the surplus is cut at the left and at the top, a half pixel rounded to even.
///
/// Throws InvalidArgument for a spec without a size, sizes out of range, or a picture without
/// pixels.
[[nodiscard]] ResizeGeometry resize_geometry(int width, int height, const PreprocessSpec& spec);

/// The box of `image`, resampled to width x height, written with rows `out_stride` bytes apart.
///
/// box   0 <= left <= right <= image.width, and so for the rows; an empty box is a line of no width
///       that takes the pixels around it, as in Pillow
/// out   height rows of width * pixel_bytes(format) bytes; must not overlap the picture
/// Throws InvalidArgument for a size below 1 or a box outside the picture. Allocates the tables of
/// the two axes and a temporary of at most width * image.height or image.width * height pixels.
/// Thread-safe.
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
