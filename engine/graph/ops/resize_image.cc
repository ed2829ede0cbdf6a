#include "engine/graph/ops/resize_image.h"

#include <cstddef>
#include <cstdint>

#include "engine/core/require.h"
#include "engine/core/resample.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

constexpr int kMaxSide = 16'384;

int channels(ColorMode color) {
  return color == ColorMode::kRgb ? 3 : 1;
}

PixelFormat format(ColorMode color) {
  return color == ColorMode::kRgb ? PixelFormat::kRgb8 : PixelFormat::kGray8;
}

/// Picture `index` of the batch. Throws InvalidArgument where it does not lie inside the pixels.
ImageView picture(std::span<const std::uint8_t> pixels,
                  std::span<const std::int64_t> row,
                  std::size_t index,
                  ColorMode color) {
  const std::int64_t width = row[0];
  const std::int64_t height = row[1];
  const std::int64_t offset = row[2];
  const auto capacity = static_cast<std::int64_t>(pixels.size());
  const bool sides_fit = width >= 1 && width <= kMaxSide && height >= 1 && height <= kMaxSide;
  const std::int64_t bytes = sides_fit ? width * height * channels(color) : 0;
  if (!sides_fit || offset < 0 || bytes > capacity || offset > capacity - bytes) {
    throw InvalidArgument(cat("picture ",
                              index,
                              " of the batch is ",
                              width,
                              " x ",
                              height,
                              " at byte ",
                              offset,
                              ", which is not inside the ",
                              capacity,
                              " bytes of pixels"));
  }
  return {.data = pixels.data() + offset,
          .width = static_cast<int>(width),
          .height = static_cast<int>(height),
          .stride = static_cast<std::ptrdiff_t>(width) * channels(color),
          .format = format(color)};
}

}  // namespace

std::vector<TensorDesc> ResizeImage::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 2);
  const TensorDesc& pixels = inputs[0];
  const TensorDesc& table = inputs[1];
  check_dtype(pixels, DType::kUInt8, "pixels");
  check_rank(pixels, 1, "pixels");
  check_concrete(pixels, "pixels");
  check_dtype(table, DType::kInt64, "table");
  check_rank(table, 2, "table");
  if (table.shape[1] != 3) {
    throw InvalidArgument(cat("table is ", to_string(table), ", but must be i64[N,3]"));
  }
  // Any picture will do: this is about the spec's own sizes.
  (void)resize_geometry(1, 1, spec);
  return {checked_output(
      {DType::kUInt8, {table.shape[0], spec.height, spec.width, channels(spec.color)}})};
}

void ResizeImage::evaluate(std::span<const ConstTensorView> inputs,
                           std::span<const TensorView> outputs) const {
  const auto pixels = inputs[0].as<std::uint8_t>();
  const auto table = inputs[1].as<std::int64_t>();
  const auto out = outputs[0].as<std::uint8_t>();
  const auto batch = static_cast<std::size_t>(inputs[1].dim(0));
  for (std::size_t i = 0; i < batch; ++i) {
    const ImageView image = picture(pixels, table.subspan(i * 3, 3), i, spec.color);
    resize_into(image, spec, out.data() + i * (out.size() / batch));
  }
}

}  // namespace fovea
