#include "engine/backend/cuda/packed_constant.h"

#include <algorithm>

#include "engine/core/require.h"
#include "engine/graph/ops/cast.h"

namespace fovea::cuda {

std::vector<std::byte> elements_as(const Constant& constant, DType dtype) {
  const PinnedBytes values = constant.read();
  const TensorDesc desc{dtype, constant.desc.shape};
  std::vector<std::byte> elements(byte_size(desc));
  const ConstTensorView source{&constant.desc, values.data()};
  const TensorView target{&desc, elements.data()};
  Cast{dtype}.evaluate({&source, 1}, {&target, 1});
  return elements;
}

std::shared_ptr<const std::byte> packed_constant(const Constant& constant,
                                                 DType dtype,
                                                 WeightStore& weights) {
  const bool as_it_is = dtype == constant.desc.dtype;
  const std::string key =
      as_it_is ? cat(constant.key(), " dense") : cat(constant.key(), " dense ", to_string(dtype));
  const std::size_t bytes = byte_size({dtype, constant.desc.shape});
  return weights.get(key, bytes, [&](std::span<std::byte> out) {
    if (as_it_is) {
      std::ranges::copy(constant.read(), out.begin());
    } else {
      std::ranges::copy(elements_as(constant, dtype), out.begin());
    }
  });
}

}  // namespace fovea::cuda
