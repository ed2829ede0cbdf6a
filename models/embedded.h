// Files that are part of the library: manifests, labels and the weights that are small enough.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace fovea {

struct EmbeddedFile {
  std::string_view path;             ///< below models/, such as "lenet5/manifest.json"
  std::span<const std::byte> bytes;  ///< as long as the program runs; starts at a multiple of 64

  [[nodiscard]] std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

/// All of them.
[[nodiscard]] std::span<const EmbeddedFile> embedded_files();

/// The file of that path, or nullptr.
[[nodiscard]] const EmbeddedFile* find_embedded_file(std::string_view path);

}  // namespace fovea
