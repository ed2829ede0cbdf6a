// Model files of every kind that this build reads, as packages.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "engine/importers/package.h"

namespace fovea {

struct ImportOptions {
  /// How long the import process may take.
  std::chrono::milliseconds time_limit{30'000};

  /// Gets a line of text where something was wrong that is no error, such as a damaged file in the
  /// cache. The default writes it to standard error.
  std::function<void(const std::string& message)> warn;
};

/// Hands a line of text to options.warn, or to what takes its place.
void warn(const ImportOptions& options, const std::string& message);

/// A package: a folder, or the manifest.json in it. Or a foreign file (ONNX), which is converted by
/// the import process and kept in the cache, so that the second time only reads the package. What
/// a file is follows from its content, not from its name. Works without a writable cache, then
/// converting every time. Thread-safe, also between processes.
///
/// Throws Error, naming the file: model/not-found; model/unsupported-format for formats that this
/// build does not read (and says which it does); all errors of load_package and run_importer.
[[nodiscard]] Package open_model_file(const std::filesystem::path& path,
                                      const ImportOptions& options = {});

}  // namespace fovea
