// Parameters on the device, in the element type that a step reads.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/backend/weight_store.h"

namespace fovea::cuda {

/// The constant's elements row-major as `dtype`, rounded to nearest even; in host memory.
[[nodiscard]] std::vector<std::byte> elements_as(const Constant& constant, DType dtype);

/// The constant's elements row-major as `dtype`, rounded to nearest even; uploaded once for all
/// steps that read them so.
[[nodiscard]] std::shared_ptr<const std::byte> packed_constant(const Constant& constant,
                                                               DType dtype,
                                                               WeightStore& weights);

}  // namespace fovea::cuda
