// Packages of foreign model files, kept in $cache_home/packages.
//
// packages/<sha256 of the file>-<importer version>/   a package of a model or of weights, and
//                                                     manifest.xxh3, the hash of its description
// Entries appear by a rename of a complete folder and are never written to afterwards.
#pragma once

#include <filesystem>

#include "engine/importers/open_model.h"
#include "engine/importers/package.h"
#include "engine/importers/weights_package.h"

namespace fovea {

/// The package of a foreign file: from the cache, or imported and then put there. Of several
/// threads and processes that want the same file, one imports while the others wait for it. The
/// package is called like `file`, whatever the file was called that was imported first. An entry
/// that is damaged or cannot be read is removed and made again, with one warning. Where the cache
/// cannot be written, the package is made in a temporary folder. Errors as of open_model_file.
[[nodiscard]] Package import_cached(const std::filesystem::path& file,
                                    const ImportOptions& options);

/// The same for a Keras weights file, which holds no network.
[[nodiscard]] WeightsPackage import_weights_cached(const std::filesystem::path& file,
                                                   const ImportOptions& options);

}  // namespace fovea
