#include "engine/graph/ops/resize_normalize.h"

#include <cstddef>

#include "engine/core/require.h"
#include "engine/graph/ops/cast.h"
#include "engine/graph/ops/normalize_image.h"
#include "engine/graph/ops/resize_image.h"

namespace fovea {

std::vector<TensorDesc> ResizeNormalize::infer(std::span<const TensorDesc> inputs) const {
  if (to != DType::kFloat32 && to != DType::kFloat16 && to != DType::kBFloat16) {
    throw InvalidArgument(cat("to is ", to_string(to), ", but must be f32, f16 or bf16"));
  }
  const std::vector<TensorDesc> resized = ResizeImage{spec}.infer(inputs);
  return Cast{to}.infer(NormalizeImage{constants, channels}.infer(resized));
}

void ResizeNormalize::evaluate(std::span<const ConstTensorView> inputs,
                               std::span<const TensorView> outputs) const {
  const std::vector<TensorDesc> descs{*inputs[0].desc, *inputs[1].desc};
  const std::vector<TensorDesc> resized = ResizeImage{spec}.infer(descs);
  std::vector<std::byte> bytes(byte_size(resized[0]));
  const TensorView pictures{resized.data(), bytes.data()};
  ResizeImage{spec}.evaluate(inputs, {&pictures, 1});

  const TensorDesc floats{DType::kFloat32, outputs[0].desc->shape};
  std::vector<std::byte> wide(byte_size(floats));
  const ConstTensorView source{resized.data(), bytes.data()};
  const TensorView normalized{&floats, wide.data()};
  NormalizeImage{constants, channels}.evaluate({&source, 1}, {&normalized, 1});

  const ConstTensorView rounded{&floats, wide.data()};
  Cast{to}.evaluate({&rounded, 1}, outputs);
}

}  // namespace fovea
