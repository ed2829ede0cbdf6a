// The files of cuDNN, found and held against each other before anything in them is used.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/core/env.h"
#include "engine/core/shared_library.h"

namespace fovea::cuda {

/// cuDNN, loaded as a whole.
struct CudnnFiles {
  SharedLibrary graph;    ///< has the functions of the backend API
  std::size_t version;    ///< 91900 for 9.19.0
  bool compiles_kernels;  ///< NVRTC is there, which engines that compile their kernels need

  /// "9.19.0".
  [[nodiscard]] std::string version_text() const;
};

/// Loads every sub-library that convolutions use, from one folder, or by name where the loader
/// finds them. cuDNN by itself loads them at their first use, and ends the process, or fails in
/// the middle of a run, where one is missing or of another version.
///
/// Throws Unsupported that names the file: one is missing, cuDNN is older than 9.8, or not all are
/// of one version.
[[nodiscard]] CudnnFiles load_cudnn_files(
    const std::optional<std::filesystem::path>& folder = env::get(env::kCudnnFolder));

}  // namespace fovea::cuda
