#include "engine/graph/ops/pad.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

std::vector<TensorDesc> Pad::infer(std::span<const TensorDesc> inputs) const {
  for (const std::int64_t side : pads) {
    if (side < 0 || side > kMaxDim) {
      throw InvalidArgument(cat("a side is padded by ", side, ", but must be from 0 to ", kMaxDim));
    }
  }
  check_inputs(inputs, 1);
  check_picture(inputs[0], "x");
  TensorDesc output = inputs[0];
  output.shape[1] += pads[0] + pads[2];
  output.shape[2] += pads[1] + pads[3];
  return {checked_output(std::move(output))};
}

void Pad::evaluate(std::span<const ConstTensorView> inputs,
                   std::span<const TensorView> outputs) const {
  const auto x = inputs[0].floats();
  const auto y = outputs[0].floats();
  const std::int64_t height = inputs[0].dim(1);
  const std::int64_t channels = inputs[0].dim(3);
  const std::int64_t row = inputs[0].dim(2) * channels;
  const std::int64_t padded_row = outputs[0].dim(2) * channels;

  std::ranges::fill(y, value);
  for (std::int64_t n = 0; n < inputs[0].dim(0); ++n) {
    for (std::int64_t h = 0; h < height; ++h) {
      const float* from = x.data() + (n * height + h) * row;
      const std::int64_t padded_h = n * outputs[0].dim(1) + h + pads[0];
      std::copy_n(from, row, y.data() + padded_h * padded_row + pads[1] * channels);
    }
  }
}

}  // namespace fovea
