// Where the zoo's weights lie once they were downloaded: $cache_home/weights.
//
// weights/<hash>-<file name>        checked against the hash before it got this name
// weights/<hash>-<file name>.part   what has arrived of it
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

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

/// The same of bytes in memory.
[[nodiscard]] std::string hash_of_weights(std::span<const std::byte> bytes, const WeightFile& file);

/// Throws Error (weights/hash-mismatch) unless `hash` is the published one.
///
/// model   what messages call the network
/// place   where what has the hash is, for messages
void check_hash(std::string_view hash,
                const WeightFile& file,
                std::string_view model,
                std::string_view place);

}  // namespace fovea
