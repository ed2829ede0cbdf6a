// Keras's legacy weight files: HDF5 with the layers' names in attributes.
//
// Source: keras/src/legacy/saving/legacy_h5_format.py of Keras 3.
#pragma once

#include <cstddef>
#include <span>

#include "engine/importers/weights_package.h"

namespace fovea::keras {

/// The weights of a file that Keras 1, 2 or 3 wrote with save_weights, or of a whole model in that
/// format, all layers in the order of the file. Nothing but the weights is read.
///
/// Throws Error, naming the object within the file: model/corrupt, model/limit,
/// model/unsupported-format for HDF5 files of another kind (and says what they are) and for what
/// H5Object and TensorReader do not take.
[[nodiscard]] WeightsPackage import_weights(std::span<const std::byte> file);

}  // namespace fovea::keras
