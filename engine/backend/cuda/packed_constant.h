// Parameters on the device, in the element type that a step reads.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend/weight_store.h"

namespace fovea::cuda {

/// Whether weights_as() rounds an element with what the one before it lost.
[[nodiscard]] bool carries_errors(const Constant& weights, DType dtype);

/// Weights, of which dimension 0 counts the filters or units, row-major as `dtype`, in host memory.
/// float32 is rounded to 16-bit types so that the errors of a filter add up to less than one of
/// them: each element takes over what the one before it lost, and zeros stay zeros. Rounded to
/// nearest, a filter's errors shift all of its results alike, since most of what it reads is
/// positive, and no mean over pixels evens that out: MobileNetV2 then loses 3 of 102 labels in
/// fp16, and so none (docs/measurements/2026-11-27-fp16-weights.md).
[[nodiscard]] std::vector<std::byte> weights_as(const Constant& weights, DType dtype);

/// "rows of f16 carried": what keys say of weights_as(), so that those that were packed before, and
/// rounded otherwise, are others.
[[nodiscard]] std::string rows_of(const Constant& weights, DType dtype);

/// Those on the device, uploaded once for all steps that read them so.
[[nodiscard]] std::shared_ptr<const std::byte> packed_weights(const Constant& weights,
                                                              DType dtype,
                                                              WeightStore& store);

/// The constant's elements row-major as `dtype`, rounded to nearest even; uploaded once for all
/// steps that read them so.
[[nodiscard]] std::shared_ptr<const std::byte> packed_constant(const Constant& constant,
                                                               DType dtype,
                                                               WeightStore& weights);

}  // namespace fovea::cuda
