#include "engine/graph/ops/normalize_image.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "engine/core/normalize.h"
#include "engine/core/require.h"
#include "engine/graph/half.h"
#include "engine/graph/ops/cast.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

/// The floats of the operator, cast to its type.
void evaluate_rounded(NormalizeImage op,
                      const ConstTensorView& x,
                      std::span<const TensorView> outputs) {
  const DType to = std::exchange(op.to, DType::kFloat32);
  const TensorDesc floats{DType::kFloat32, outputs[0].desc->shape};
  std::vector<std::byte> bytes(byte_size(floats));
  const TensorView wide{&floats, bytes.data()};
  op.evaluate({&x, 1}, {&wide, 1});
  const ConstTensorView rounded{&floats, bytes.data()};
  Cast{to}.evaluate({&rounded, 1}, outputs);
}

}  // namespace

std::vector<TensorDesc> NormalizeImage::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 1);
  const TensorDesc& x = inputs[0];
  check_dtype(x, DType::kUInt8, "x");
  check_rank(x, 4, "x");
  if (x.shape[3] != 1 && x.shape[3] != 3) {
    throw InvalidArgument(cat("x is ", to_string(x), ", but a picture has 1 or 3 channels"));
  }
  if (channels != 0 && channels < x.shape[3]) {
    throw InvalidArgument(cat("channels is ",
                              channels,
                              ", but x is ",
                              to_string(x),
                              ": it must be 0 or at least ",
                              x.shape[3]));
  }
  require(x.shape[3] == 3 || !constants.swap_red_blue,
          "swap_red_blue needs three channels, but x has one");
  const auto usable = [](float value) { return std::isfinite(value) && value != 0.0F; };
  require(usable(constants.divisor) && std::ranges::all_of(constants.scale, usable) &&
              std::ranges::all_of(constants.mean, [](float m) { return std::isfinite(m); }),
          "divisor, mean and scale must be finite, and divisor and scale not zero");
  if (to != DType::kFloat32 && !is_half(to)) {
    throw InvalidArgument(cat("to is ", to_string(to), ", but must be f32, f16 or bf16"));
  }
  TensorDesc y{to, x.shape};
  if (channels != 0) y.shape[3] = channels;
  return {checked_output(std::move(y))};
}

void NormalizeImage::evaluate(std::span<const ConstTensorView> inputs,
                              std::span<const TensorView> outputs) const {
  if (to != DType::kFloat32) {
    evaluate_rounded(*this, inputs[0], outputs);
    return;
  }
  const auto x = inputs[0].as<std::uint8_t>();
  const auto y = outputs[0].floats();
  const auto in_channels = static_cast<std::size_t>(inputs[0].dim(3));
  const auto out_channels = static_cast<std::size_t>(outputs[0].dim(3));
  const NormalizationTable table(constants);
  table.apply(x.data(), x.size() / in_channels, in_channels, y.data(), out_channels);
}

}  // namespace fovea
