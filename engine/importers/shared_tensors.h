// Files of tensors that several others refer to, in the cache: $cache_home/tensors.
//
// tensors/<xxh3-128>.safetensors   appears complete and is never written to afterwards
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "engine/core/file.h"
#include "engine/core/safetensors.h"

namespace fovea {

/// What a file is known by.
struct SharedFile {
  std::string xxh3;
  std::uint64_t bytes = 0;
};

/// Puts a safetensors file of these tensors there, unless it is there already.
/// Throws Error: io/write, also where the environment names no folder for caches; io/no-space; what
/// write_safetensors throws.
[[nodiscard]] SharedFile share_tensors(const NamedTensors& tensors);

/// Where the file is, or would be; empty where the environment names no folder for caches.
[[nodiscard]] std::filesystem::path path_of(const SharedFile& file);

/// The file, mapped and checked against its hash.
///
/// user   the file that refers to it, for messages
///
/// Throws Error: weights/missing, weights/hash-mismatch, io/read.
[[nodiscard]] std::shared_ptr<const MappedFile> open_shared_tensors(const SharedFile& file,
                                                                    std::string_view user);

}  // namespace fovea
