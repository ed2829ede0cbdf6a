// The weights of a foreign file, without a network: a folder with layers.json and
// weights.safetensors.
//
// layers.json: {"format": 1, "source": {...}, "files": {"weights.safetensors": "<xxh3-128>"},
//   "notes": [...], "layers": [{"name": "conv1", "tensors": [
//     {"name": "conv1/kernel:0", "stored": "0002/0/conv1/kernel:0", "shape": [7, 7, 3, 64]}]}]}
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/graph/layer_weights.h"
#include "engine/importers/manifest.h"

namespace fovea {

struct WeightsPackage {
  std::vector<StoredLayer> layers;  ///< in the order of the file, those without tensors too
  std::optional<ImportSource> source;
  std::vector<std::string> notes;  ///< of the importer, for people: what it made of the file
};

/// The file of such a package that describes the other one.
inline constexpr const char* kLayersFile = "layers.json";

/// Reads the package in the folder. The tensors are views of the mapped file, so the folder may be
/// removed afterwards, but not written into. Throws Error: model/not-found where there is no
/// layers.json; model/corrupt for anything missing or damaged; model/unsupported-format for a newer
/// format; model/limit.
[[nodiscard]] WeightsPackage load_weights_package(const std::filesystem::path& folder);

/// Writes the package into a new folder, layers.json last: without it there is no package. Nothing
/// is left behind where it fails. Throws Error: io/write, also where the folder is there already;
/// io/no-space; model/limit for more bytes than load_weights_package reads.
void save_weights_package(const std::filesystem::path& folder, const WeightsPackage& package);

}  // namespace fovea
