// The file of cuBLASLt, found and looked at before anything in it is used.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/core/env.h"
#include "engine/core/shared_library.h"

namespace fovea::cuda {

/// cuBLASLt, loaded.
struct CublasLtFile {
  SharedLibrary library;
  std::size_t version;  ///< 130100 for 13.1.0

  /// "13.1.0".
  [[nodiscard]] std::string version_text() const;
};

/// Loads libcublasLt.so.13, else .12, from the folder, or by name where the loader finds it.
///
/// Throws Unsupported that names the file: there is none, or it is not of version 12 or 13.
[[nodiscard]] CublasLtFile load_cublaslt_file(
    const std::optional<std::filesystem::path>& folder = env::get(env::kCublasLtFolder));

}  // namespace fovea::cuda
