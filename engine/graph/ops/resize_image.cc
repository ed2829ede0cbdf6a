#include "engine/graph/ops/resize_image.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/core/ragged_batch.h"
#include "engine/core/require.h"
#include "engine/core/resample.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

std::vector<TensorDesc> ResizeImage::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 2);
  const TensorDesc& pixels = inputs[0];
  const TensorDesc& table = inputs[1];
  check_dtype(pixels, DType::kUInt8, "pixels");
  check_dtype(table, DType::kInt64, "table");
  check_rank(table, 2, "table");
  if (std::cmp_not_equal(table.shape[1], kRaggedColumns)) {
    throw InvalidArgument(cat("table is ", to_string(table), ", but must be i64[N,3]"));
  }
  if (pixels.shape.size() != 2) {
    check_rank(pixels, 1, "pixels");
    check_concrete(pixels, "pixels");
  } else if (pixels.shape[0] != table.shape[0]) {
    throw InvalidArgument(cat("pixels is ",
                              to_string(pixels),
                              " and table is ",
                              to_string(table),
                              ": both must be of as many pictures"));
  }
  // Any picture will do: this is about the spec's own sizes.
  (void)resize_geometry(1, 1, spec);
  return {checked_output(
      {DType::kUInt8,
       {table.shape[0], spec.height, spec.width, pixel_bytes(pixel_format(spec.color))}})};
}

void ResizeImage::evaluate(std::span<const ConstTensorView> inputs,
                           std::span<const TensorView> outputs) const {
  const auto pixels = inputs[0].as<std::uint8_t>();
  const auto table = inputs[1].as<std::int64_t>();
  const auto out = outputs[0].as<std::uint8_t>();
  const auto batch = static_cast<std::size_t>(inputs[1].dim(0));
  const PixelFormat format = pixel_format(spec.color);
  for (std::size_t i = 0; i < batch; ++i) {
    const RaggedPicture picture = ragged_picture(table, i, spec, pixels.size());
    const std::span resized = out.subspan(i * (out.size() / batch), out.size() / batch);
    if (picture.resized) {
      std::ranges::copy_n(pixels.data() + picture.offset, std::ssize(resized), resized.data());
      continue;
    }
    const ImageView image{.data = pixels.data() + picture.offset,
                          .width = picture.width,
                          .height = picture.height,
                          .stride = std::ptrdiff_t{picture.width} * pixel_bytes(format),
                          .format = format};
    resize_into(image, spec, resized.data());
  }
}

}  // namespace fovea
