// Reading a foreign model file in the helper program fovea-import.
//
// Parsers of foreign formats are not hardened: they run in a short-lived process with limits on
// memory, time and file sizes, and only a package of our own format comes back.
#pragma once

#include <chrono>
#include <filesystem>

namespace fovea {

/// The helper program: $FOVEA_IMPORT_HELPER, else fovea-import beside the library or executable
/// that this code is part of or beside the running executable, else in their ../libexec/fovea or
/// ../../libexec/fovea. Throws Error (io/read) where there is none.
[[nodiscard]] std::filesystem::path find_import_helper();

/// Converts `file` into a package in the new folder `package`, whose parent must exist.
///
/// Throws Error, naming the file: the helper's own (model/..., io/...), model/limit where it takes
/// longer than `time_limit` or needs too much memory or processor time, model/importer-crashed,
/// quoting what it said, where it ends in any other way, io/read where it cannot be started. What
/// it wrote before is left for the caller to remove. Thread-safe.
void run_importer(const std::filesystem::path& file,
                  const std::filesystem::path& package,
                  std::chrono::milliseconds time_limit);

}  // namespace fovea
