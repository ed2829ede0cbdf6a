#include "engine/graph/ops/resize_normalize.h"

#include <cstddef>

#include "engine/graph/ops/normalize_image.h"
#include "engine/graph/ops/resize_image.h"

namespace fovea {

std::vector<TensorDesc> ResizeNormalize::infer(std::span<const TensorDesc> inputs) const {
  return NormalizeImage{constants, channels, to}.infer(ResizeImage{spec}.infer(inputs));
}

void ResizeNormalize::evaluate(std::span<const ConstTensorView> inputs,
                               std::span<const TensorView> outputs) const {
  const std::vector<TensorDesc> descs{*inputs[0].desc, *inputs[1].desc};
  const std::vector<TensorDesc> resized = ResizeImage{spec}.infer(descs);
  std::vector<std::byte> bytes(byte_size(resized[0]));
  const TensorView pictures{resized.data(), bytes.data()};
  ResizeImage{spec}.evaluate(inputs, {&pictures, 1});

  const ConstTensorView source{resized.data(), bytes.data()};
  NormalizeImage{constants, channels, to}.evaluate({&source, 1}, outputs);
}

}  // namespace fovea
