// What the zoo's networks say of themselves and of their weights.
#pragma once

#include "engine/importers/manifest.h"
#include "models/builders/zoo.h"
#include "models/embedded.h"

namespace fovea {

/// The manifest of a network of the zoo.
[[nodiscard]] Manifest zoo_manifest(const zoo::Model& model);

/// The size of the pictures that the manifest's preprocessing contract makes; the zoo's manifests
/// have one.
[[nodiscard]] zoo::InputSize default_input(const Manifest& manifest);

/// The weights that the network is given by default: the first that its manifest names. Throws
/// weights/missing where it names none.
[[nodiscard]] const WeightFile& default_weights(const Manifest& manifest);

/// The file in the library, or nullptr for one that is downloaded.
[[nodiscard]] const EmbeddedFile* bundled_weights(const WeightFile& file);

}  // namespace fovea
