// What a picture is classified as.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fovea/error.h>

namespace fovea {

/// One class and how likely it is.
struct Prediction {
  std::int32_t index = 0;  ///< of the class, from 0
  std::string id;          ///< for example the WordNet id "n07753592"; empty where labels have none
  std::string label;       ///< for example "banana"; the index as text where there are no labels
  float probability = 0.0F;
};

/// Why a picture has no predictions.
struct Failure {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

/// The answer for one picture: predictions, most probable first (equal probabilities: lower index
/// first; NaN last), or the failure that took their place.
struct Result {
  std::vector<Prediction> predictions;
  std::optional<Failure> failure;
  bool nonfinite = false;  ///< the network answered with infinities or NaN
};

}  // namespace fovea
