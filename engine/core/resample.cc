#include "engine/core/resample.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
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

/// Cuts an axis to the input positions that it uses: returns the first of them and their number,
/// and makes the axis count from there. First and last positions grow along the axis.
OutputRange cut_to_used(ResampleAxis& axis, int size) {
  const int begin = axis.first.front();
  const int end = axis.first.back() + axis.count.back();
  for (int& first : axis.first) first -= begin;
  return {size, begin, end - begin};
}

/// Two passes with bytes between them, or one where the other axis stays as it is.
class Separable {
 public:
  Separable(const ImageView& image, const ResampleBox& box, const Window& window, Interpolation how)
      : image_(image), window_(window) {
    // Pillow's conditions: an axis that keeps its size and is not cropped is not filtered.
    if (window.columns.size != image.width || box[0] != 0.0F ||
        box[2] != static_cast<float>(image.width)) {
      columns_.emplace(resample_axis(image.width, box[0], box[2], window.columns, how));
    }
    if (window.rows.size != image.height || box[1] != 0.0F ||
        box[3] != static_cast<float>(image.height)) {
      rows_.emplace(resample_axis(image.height, box[1], box[3], window.rows, how));
    }
  }

  void run(Output out) {
    if (columns_ && rows_) {
      if (vertical_pass_first(
              image_.width, image_.height, window_.columns.size, window_.rows.size)) {
        vertical_then_horizontal(out);
      } else {
        horizontal_then_vertical(out);
      }
    } else if (columns_) {
      horizontal(
          image_.format, part({image_.width, 0, image_.width}, window_.rows), *columns_, out);
    } else if (rows_) {
      vertical(
          image_.format, part(window_.columns, {image_.height, 0, image_.height}), *rows_, out);
    } else {
      copy(part(window_.columns, window_.rows), out);
    }
  }

 private:
  /// The columns and rows of the input from `first` on, `count` of each.
  [[nodiscard]] Pixels part(const OutputRange& columns, const OutputRange& rows) const {
    const std::uint8_t* data = image_.data + rows.first * image_.stride +
                               static_cast<std::ptrdiff_t>(columns.first) * pixel_;
    return {{data, image_.stride}, columns.count, rows.count};
  }

  void copy(const Pixels& from, Output out) const {
    for (int y = 0; y < from.height; ++y) {
      std::memcpy(out[y], from.rows[y], static_cast<std::size_t>(from.width * pixel_));
    }
  }

  void horizontal_then_vertical(Output out) {
    const OutputRange rows = cut_to_used(rows_->axis, image_.height);
    const Output between = allocate(window_.columns.count, rows.count);
    horizontal(image_.format, part({image_.width, 0, image_.width}, rows), *columns_, between);
    const Pixels temporary{{between.data, between.stride}, window_.columns.count, rows.count};
    vertical(image_.format, temporary, *rows_, out);
  }

  void vertical_then_horizontal(Output out) {
    const OutputRange columns = cut_to_used(columns_->axis, image_.width);
    const Output between = allocate(columns.count, window_.rows.count);
    vertical(image_.format, part(columns, {image_.height, 0, image_.height}), *rows_, between);
    const Pixels temporary{{between.data, between.stride}, columns.count, window_.rows.count};
    horizontal(image_.format, temporary, *columns_, out);
  }

  Output allocate(int width, int height) {
    const auto row_bytes = static_cast<std::size_t>(width) * static_cast<std::size_t>(pixel_);
    between_ = std::make_unique_for_overwrite<std::uint8_t[]>(row_bytes *
                                                              static_cast<std::size_t>(height));
    return {between_.get(), static_cast<std::ptrdiff_t>(row_bytes)};
  }

  const ImageView& image_;
  const Window& window_;
  int pixel_ = pixel_bytes(image_.format);
  std::optional<ResampleTaps> columns_;
  std::optional<ResampleTaps> rows_;
  std::unique_ptr<std::uint8_t[]> between_;
};

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
    Separable(image, box, window, interpolation).run(out);
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
