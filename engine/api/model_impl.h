// What a Model holds.
#pragma once

#include <optional>
#include <vector>

#include <fovea/model.h>

#include "engine/importers/manifest.h"

namespace fovea {

struct Model::Impl {
  Manifest manifest;
  ModelGraph graph;
  std::optional<PreprocessSpec> preprocessing;  ///< the manifest's, with the caller's overrides
  std::vector<Label> labels;
};

}  // namespace fovea
