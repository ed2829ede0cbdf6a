// From the plan's top-k values to labelled predictions.
#pragma once

#include <cstdint>
#include <span>

#include <fovea/model.h>
#include <fovea/result.h>

namespace fovea {

/// The k values and class indices of one picture, best first, with their labels; an index without a
/// label gets its number as text.
[[nodiscard]] Result label_predictions(std::span<const float> values,
                                       std::span<const std::int32_t> indices,
                                       std::span<const Label> labels);

}  // namespace fovea
