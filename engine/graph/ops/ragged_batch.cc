#include "engine/graph/ops/ragged_batch.h"

#include "engine/core/require.h"

namespace fovea {

namespace {

constexpr int kMaxSide = 16'384;

}  // namespace

PixelFormat pixel_format(ColorMode color) {
  return color == ColorMode::kRgb ? PixelFormat::kRgb8 : PixelFormat::kGray8;
}

RaggedPicture ragged_picture(std::span<const std::int64_t> table,
                             std::size_t index,
                             PixelFormat format,
                             std::size_t capacity) {
  const auto row = table.subspan(index * 3, 3);
  const std::int64_t width = row[0];
  const std::int64_t height = row[1];
  const std::int64_t offset = row[2];
  const auto end = static_cast<std::int64_t>(capacity);
  const bool sides_fit = width >= 1 && width <= kMaxSide && height >= 1 && height <= kMaxSide;
  const std::int64_t bytes = sides_fit ? width * height * pixel_bytes(format) : 0;
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
  return {static_cast<int>(width), static_cast<int>(height), offset};
}

}  // namespace fovea
