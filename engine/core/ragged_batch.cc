#include "engine/core/ragged_batch.h"

#include "engine/core/require.h"

namespace fovea {

namespace {

bool is_side(std::int64_t pixels) {
  return pixels >= 1 && pixels <= kLargestSide;
}

}  // namespace

ResizeGeometry RaggedPicture::geometry(const PreprocessSpec& spec) const {
  if (!resized) return resize_geometry(width, height, spec);
  return {.box = {0.0F, 0.0F, static_cast<float>(width), static_cast<float>(height)},
          .width = width,
          .height = height};
}

PixelFormat pixel_format(ColorMode color) {
  return color == ColorMode::kRgb ? PixelFormat::kRgb8 : PixelFormat::kGray8;
}

RaggedPicture ragged_picture(std::span<const std::int64_t> table,
                             std::size_t index,
                             const PreprocessSpec& spec,
                             std::size_t capacity) {
  const auto row = table.subspan(index * kRaggedColumns, kRaggedColumns);
  const bool resized = row[0] == 0 && row[1] == 0;
  const std::int64_t width = resized ? spec.width : row[0];
  const std::int64_t height = resized ? spec.height : row[1];
  const std::int64_t offset = row[2];
  const auto end = static_cast<std::int64_t>(capacity);
  const bool sides_fit = is_side(width) && is_side(height);
  const std::int64_t bytes = sides_fit ? width * height * pixel_bytes(pixel_format(spec.color)) : 0;
  if (!sides_fit || offset < 0 || bytes > end || offset > end - bytes) {
    throw InvalidArgument(cat("picture ",
                              index,
                              " of the batch is ",
                              width,
                              " x ",
                              height,
                              " at byte ",
                              offset,
                              ", which is not inside the ",
                              end,
                              " bytes of pixels"));
  }
  return {static_cast<int>(width), static_cast<int>(height), offset, resized};
}

}  // namespace fovea
