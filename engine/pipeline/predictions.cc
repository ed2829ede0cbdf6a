#include "engine/pipeline/predictions.h"

#include <cmath>

namespace fovea {

Result label_predictions(std::span<const float> values,
                         std::span<const std::int32_t> indices,
                         std::span<const Label> labels) {
  Result result;
  result.predictions.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto index = static_cast<std::size_t>(indices[i]);
    const bool labelled = index < labels.size();
    result.predictions.push_back({.index = indices[i],
                                  .id = labelled ? labels[index].id : std::string(),
                                  .label = labelled ? labels[index].text : std::to_string(index),
                                  .probability = values[i]});
    result.nonfinite = result.nonfinite || !std::isfinite(values[i]);
  }
  return result;
}

}  // namespace fovea
