#include "engine/core/resample.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/core/require.h"
#include "engine/core/resample_axis.h"
#include "engine/core/resample_pass.h"
#include "engine/core/resample_wide.h"

namespace fovea {

namespace {

/// The columns and rows of the whole result that are wanted.
struct Window {
  OutputRange columns;
  OutputRange rows;
};

/// Where the result goes.
using Output = MutableRows;

void nearest(const ImageView& image, const ResampleBox& box, const Window& window, Output out) {
  const NearestWalk walk =
      image.format == PixelFormat::kGray16 ? NearestWalk::kProduct : NearestWalk::kSum;
  const auto columns = nearest_axis(image.width, box[0], box[2], window.columns, walk);
  const auto rows = nearest_axis(image.height, box[1], box[3], window.rows, walk);
  const auto pixel = static_cast<std::size_t>(pixel_bytes(image.format));
  for (std::size_t y = 0; y < rows.size(); ++y) {
    std::uint8_t* to = out[static_cast<std::ptrdiff_t>(y)];
    const std::uint8_t* from = rows[y] < 0 ? nullptr : image.data + rows[y] * image.stride;
    for (const int column : columns) {
      const bool inside = from != nullptr && column >= 0;
      const std::size_t offset = inside ? static_cast<std::size_t>(column) * pixel : 0;
      for (std::size_t i = 0; i < pixel; ++i) *to++ = inside ? from[offset + i] : 0;
    }
  }
}

/// Rows of pixels between the passes, and at their ends.
struct Pixels {
  ConstRows rows;
  int width;
  int height;
};

void horizontal(PixelFormat format, const Pixels& in, const ResampleTaps& taps, Output out) {
  if (format == PixelFormat::kGray16) {
    horizontal_wide(in.rows, in.height, taps.axis, out);
    return;
  }
  const int channels = pixel_bytes(format);
  const auto row_bytes = static_cast<std::size_t>(in.width) * static_cast<std::size_t>(channels);
  resample_kernels().horizontal(in.rows, in.height, row_bytes, channels, taps, out);
}

void vertical(PixelFormat format, const Pixels& in, const ResampleTaps& taps, Output out) {
  if (format == PixelFormat::kGray16) {
    vertical_wide(in.rows, in.width, taps.axis, out);
    return;
  }
  const auto row_bytes =
      static_cast<std::size_t>(in.width) * static_cast<std::size_t>(pixel_bytes(format));
  resample_kernels().vertical(in.rows, row_bytes, taps, out);
}

/// Cuts an axis to the input positions that it uses, which are returned, and makes it count from
/// the first of them.
OutputRange cut_to_used(ResampleAxis& axis, int size) {
  const OutputRange used = used_positions(axis, size);
  for (int& first : axis.first) first -= used.first;
  return used;
}

/// The columns and rows of a picture from `first` on, `count` of each.
Pixels part(const ImageView& image, const OutputRange& columns, const OutputRange& rows) {
  const std::uint8_t* data = image.data + rows.first * image.stride +
                             static_cast<std::ptrdiff_t>(columns.first) * pixel_bytes(image.format);
  return {{data, image.stride}, columns.count, rows.count};
}

/// What lies between two passes.
class Between {
 public:
  Between(PixelFormat format, int width, int height)
      : stride_(static_cast<std::ptrdiff_t>(width) * pixel_bytes(format)),
        width_(width),
        height_(height),
        bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(stride_) *
                                                              static_cast<std::size_t>(height))) {}

  [[nodiscard]] Output output() { return {bytes_.get(), stride_}; }

  [[nodiscard]] Pixels pixels() const { return {{bytes_.get(), stride_}, width_, height_}; }

 private:
  std::ptrdiff_t stride_;
  int width_;
  int height_;
  std::unique_ptr<std::uint8_t[]> bytes_;
};

void both_passes(const ImageView& image,
                 const Window& window,
                 ResampleTaps across,
                 ResampleTaps down,
                 Output out) {
  const OutputRange all_columns{image.width, 0, image.width};
  const OutputRange all_rows{image.height, 0, image.height};
  if (vertical_pass_first(image.width, image.height, window.columns.size, window.rows.size)) {
    const OutputRange columns = cut_to_used(across.axis, image.width);
    Between between(image.format, columns.count, window.rows.count);
    vertical(image.format, part(image, columns, all_rows), down, between.output());
    horizontal(image.format, between.pixels(), across, out);
  } else {
    const OutputRange rows = cut_to_used(down.axis, image.height);
    Between between(image.format, window.columns.count, rows.count);
    horizontal(image.format, part(image, all_columns, rows), across, between.output());
    vertical(image.format, between.pixels(), down, out);
  }
}

/// Two passes with rounded pixels between them, or one, or none.
void separable(const ImageView& image,
               const ResampleBox& box,
               const Window& window,
               Interpolation how,
               Output out) {
  const auto taps = [how](int size, float begin, float end, const OutputRange& range) {
    return ResampleTaps(resample_axis(size, begin, end, range, how));
  };
  const bool needs_columns = needs_resampling(image.width, box[0], box[2], window.columns.size);
  const bool needs_rows = needs_resampling(image.height, box[1], box[3], window.rows.size);
  if (needs_columns && needs_rows) {
    both_passes(image,
                window,
                taps(image.width, box[0], box[2], window.columns),
                taps(image.height, box[1], box[3], window.rows),
                out);
  } else if (needs_columns) {
    const Pixels in = part(image, {image.width, 0, image.width}, window.rows);
    horizontal(image.format, in, taps(image.width, box[0], box[2], window.columns), out);
  } else if (needs_rows) {
    const Pixels in = part(image, window.columns, {image.height, 0, image.height});
    vertical(image.format, in, taps(image.height, box[1], box[3], window.rows), out);
  } else {
    const Pixels in = part(image, window.columns, window.rows);
    const auto row_bytes =
        static_cast<std::size_t>(in.width) * static_cast<std::size_t>(pixel_bytes(image.format));
    for (int y = 0; y < in.height; ++y) std::memcpy(out[y], in.rows[y], row_bytes);
  }
}

void check(const ImageView& image, const ResampleBox& box, const Window& window) {
  require(image.data != nullptr && image.width >= 1 && image.height >= 1,
          "resample needs a picture with pixels");
  require(window.columns.size >= 1 && window.rows.size >= 1,
          "resample needs a target of at least one pixel");
  const bool inside = 0.0F <= box[0] && box[0] <= box[2] &&
                      box[2] <= static_cast<float>(image.width) && 0.0F <= box[1] &&
                      box[1] <= box[3] && box[3] <= static_cast<float>(image.height);
  if (!inside) {
    throw InvalidArgument(cat("the box (",
                              box[0],
                              ", ",
                              box[1],
                              ", ",
                              box[2],
                              ", ",
                              box[3],
                              ") is not inside the picture of ",
                              image.width,
                              " x ",
                              image.height));
  }
}

void resample_window(const ImageView& image,
                     const ResampleBox& box,
                     const Window& window,
                     Interpolation interpolation,
                     Output out) {
  check(image, box, window);
  if (interpolation == Interpolation::kNearest) {
    nearest(image, box, window, out);
  } else {
    separable(image, box, window, interpolation, out);
  }
}

}  // namespace

void resample(const ImageView& image,
              const ResampleBox& box,
              int width,
              int height,
              Interpolation interpolation,
              std::uint8_t* out,
              std::ptrdiff_t out_stride) {
  const Window window{{width, 0, width}, {height, 0, height}};
  resample_window(image, box, window, interpolation, {out, out_stride});
}

void resize_into(const ImageView& image, const PreprocessSpec& spec, std::uint8_t* out) {
  const ResizeGeometry geometry = resize_geometry(image.width, image.height, spec);
  const Window window{{geometry.width, geometry.left, spec.width},
                      {geometry.height, geometry.top, spec.height}};
  const auto stride = static_cast<std::ptrdiff_t>(spec.width) * pixel_bytes(image.format);
  resample_window(image, geometry.box, window, spec.interpolation, {out, stride});
}

}  // namespace fovea
