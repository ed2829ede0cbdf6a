// Pictures of many sizes in one batch, as ResizeImage reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <fovea/image.h>

#include "engine/core/ragged_batch.h"
#include "engine/graph/ops/resize_image.h"
#include "tests/support/formula_picture.h"

namespace fovea::test {

struct RaggedBatch {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int64_t> table;  ///< [n][3]: width, height, offset

  [[nodiscard]] std::size_t size() const { return table.size() / 3; }

  void add(const Image& image) {
    table.insert(table.end(),
                 {image.width(), image.height(), static_cast<std::int64_t>(pixels.size())});
    pixels.insert(pixels.end(), image.data(), image.data() + image.bytes());
  }
};

using Sizes = std::vector<std::pair<int, int>>;  ///< width, height

/// Formula pictures of these sizes.
inline RaggedBatch batch_of(const Sizes& sizes, ColorMode color) {
  RaggedBatch batch;
  for (const auto& [width, height] : sizes) {
    batch.add(formula_picture(width, height, pixel_format(color)));
  }
  return batch;
}

/// What the operator's definition makes of the batch.
inline std::vector<std::uint8_t> evaluated(const ResizeImage& op, const RaggedBatch& batch) {
  const std::vector<TensorDesc> descs{
      {DType::kUInt8, {static_cast<std::int64_t>(batch.pixels.size())}},
      {DType::kInt64, {static_cast<std::int64_t>(batch.size()), 3}}};
  const std::vector<ConstTensorView> inputs{
      {&descs[0], reinterpret_cast<const std::byte*>(batch.pixels.data())},
      {&descs[1], reinterpret_cast<const std::byte*>(batch.table.data())}};
  const TensorDesc desc = op.infer(descs).at(0);
  std::vector<std::uint8_t> out(static_cast<std::size_t>(num_elements(desc.shape)));
  const TensorView output{&desc, reinterpret_cast<std::byte*>(out.data())};
  op.evaluate(inputs, {&output, 1});
  return out;
}

}  // namespace fovea::test
