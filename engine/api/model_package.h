// A model as a package.
#pragma once

#include <fovea/model.h>

#include "engine/importers/package.h"

namespace fovea {

/// The package that open_model makes the same model of, with the labels and the preprocessing that
/// it was opened with. The weights are shared.
[[nodiscard]] Package package_of(const Model& model);

}  // namespace fovea
