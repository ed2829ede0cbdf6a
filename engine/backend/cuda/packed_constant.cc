#include "engine/backend/cuda/packed_constant.h"

#include <algorithm>

#include "engine/core/require.h"
#include "engine/graph/ops/cast.h"

namespace fovea::cuda {

std::shared_ptr<const std::byte> packed_constant(const Constant& constant,
                                                 DType dtype,
                                                 WeightStore& weights) {
  const bool as_it_is = dtype == constant.desc.dtype;
  const TensorDesc desc{dtype, constant.desc.shape};
  const std::string key =
      as_it_is ? cat(constant.key(), " dense") : cat(constant.key(), " dense ", to_string(dtype));
  return weights.get(key, byte_size(desc), [&](std::span<std::byte> out) {
    const PinnedBytes values = constant.read();
    if (as_it_is) {
      std::ranges::copy(values, out.begin());
      return;
    }
    const ConstTensorView source{&constant.desc, values.data()};
    const TensorView target{&desc, out.data()};
    Cast{dtype}.evaluate({&source, 1}, {&target, 1});
  });
}

}  // namespace fovea::cuda
