// Where the zoo's weights lie once they were downloaded: $cache_home/weights.
//
// weights/<hash>-<file name>        checked against the hash before it got this name
// weights/<hash>-<file name>.part   what has arrived of it
#pragma once

#include <filesystem>
#include <string>

#include "engine/importers/manifest.h"

namespace fovea {

/// The hash that a file is known by, as "sha256:..." or, where its publisher gives none, "md5:...".
/// Throws Error (internal) for a file without either.
[[nodiscard]] std::string published_hash(const WeightFile& file);

/// The file's place, whether or not it is there. Throws Error (io/write) where the environment
/// names no folder for caches.
[[nodiscard]] std::filesystem::path weights_path(const WeightFile& file);

/// Whether there is a file of the right size; fetch_weights also checks its hash.
[[nodiscard]] bool has_weights(const std::filesystem::path& path, const WeightFile& file);

/// The hash of the file's bytes, written like published_hash. Throws Error (io/read).
[[nodiscard]] std::string hash_of_weights(const std::filesystem::path& path,
                                          const WeightFile& file);

}  // namespace fovea
