// What finding the files of NVIDIA's libraries has in common.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea::cuda {

/// 91900 as "9.19.0", 130100 as "13.1.0".
[[nodiscard]] inline std::string version_text(std::size_t version) {
  return cat(version / 10'000, '.', version % 10'000 / 100, '.', version % 100);
}

/// The path in quotes, for messages.
[[nodiscard]] inline std::string quoted(const std::filesystem::path& path) {
  constexpr std::size_t kMostBytes = 400;
  return cat('\'', printable(path.string(), kMostBytes), '\'');
}

/// The name by which to load a file: its path, or its own name where the loader looks for it.
[[nodiscard]] inline std::string name_in(const std::optional<std::filesystem::path>& folder,
                                         const std::string& file) {
  return folder ? (*folder / file).string() : file;
}

}  // namespace fovea::cuda
