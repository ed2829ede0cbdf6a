#include "engine/importers/import_cache.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "engine/core/env.h"
#include "engine/core/file.h"
#include "engine/core/file_lock.h"
#include "engine/core/hash.h"
#include "engine/core/require.h"
#include "engine/importers/import_process.h"
#include "engine/importers/importer_version.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

constexpr FileLimit kModelFileLimit{std::uint64_t{4} << 30, ErrorCode::kModelLimit};
constexpr const char* kDigestFile = "manifest.xxh3";
constexpr const char* kTemporaryPrefix = ".new-";

/// A foreign file and what it is known by.
struct Source {
  fs::path file;
  std::string sha256;

  [[nodiscard]] std::string key() const { return cat(sha256, '-', kImporterVersion); }
};

void warn(const ImportOptions& options, const std::string& message) {
  if (options.warn) {
    options.warn(message);
  } else {
    std::fprintf(stderr, "fovea: warning: %s\n", message.c_str());
  }
}

bool is_io(const Error& error) {
  return error.code() == ErrorCode::kIoWrite || error.code() == ErrorCode::kIoNoSpace;
}

std::string digest_of_manifest(const fs::path& package) {
  const std::string manifest = read_text_file(package / "manifest.json");
  return xxh3_128(std::as_bytes(std::span(manifest)));
}

/// The folder of the entries, created; nothing where there can be none.
std::optional<fs::path> cache_folder() {
  const auto home = cache_home();
  if (!home) return std::nullopt;
  fs::path folder = *home / "packages";
  std::error_code error;
  fs::create_directories(folder, error);
  return error ? std::nullopt : std::optional(std::move(folder));
}

void check_source(const Package& package, const Source& source) {
  const auto& from = package.manifest.source;
  if (from && from->sha256 == source.sha256 && from->importer == kImporterVersion) return;
  if (from && from->importer != kImporterVersion) {
    throw Error(ErrorCode::kModelImporterCrashed,
                cat("fovea-import is of version ",
                    from->importer,
                    ", this library needs version ",
                    kImporterVersion,
                    "; install both from the same release"));
  }
  throw Error(ErrorCode::kIoRead,
              cat(source.file.native(), " changed while it was being imported; try again"));
}

/// The entry's package; nothing where there is none, or none that can be used.
std::optional<Package> load_entry(const fs::path& entry,
                                  const Source& source,
                                  const ImportOptions& options) {
  std::error_code error;
  if (!fs::is_directory(entry, error)) return std::nullopt;
  try {
    if (read_text_file(entry / kDigestFile) != digest_of_manifest(entry)) {
      throw Error(ErrorCode::kModelCorrupt, "manifest.json is not what was written");
    }
    Package package = load_package(entry);
    check_source(package, source);
    return package;
  } catch (const Error& damage) {
    warn(options,
         cat("the cached package of ",
             source.file.native(),
             " is damaged (",
             damage.what(),
             "); importing it again"));
  }
  // Renamed first: whoever looks now sees no entry instead of half of one.
  try {
    const TemporaryFolder grave(entry.parent_path(), kTemporaryPrefix);
    fs::rename(entry, grave.path() / "damaged", error);
  } catch (const Error&) {
    return std::nullopt;  // a cache that cannot be written: it is passed over
  }
  return std::nullopt;
}

/// Imports into a new folder below `parent`. The package stays usable when the folder is gone.
Package import_into(const fs::path& folder, const Source& source, const ImportOptions& options) {
  run_importer(source.file, folder, options.time_limit);
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw Error(ErrorCode::kModelImporterCrashed,
                cat("the importer made no package of ", source.file.native()));
  }
  Package package = load_package(folder);
  check_source(package, source);
  return package;
}

/// Removes what processes left behind that were killed more than an hour ago.
void remove_leftovers(const fs::path& folder) {
  const auto limit = fs::file_time_type::clock::now() - std::chrono::hours(1);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const bool ours = entry.path().filename().native().starts_with(kTemporaryPrefix);
    if (!ours || entry.last_write_time(error) > limit || error) continue;
    fs::remove_all(entry.path(), error);
  }
}

Package import_and_keep(const fs::path& cache, const Source& source, const ImportOptions& options) {
  remove_leftovers(cache);
  const TemporaryFolder folder(cache, kTemporaryPrefix);
  const fs::path made = folder.path() / "package";
  Package package = import_into(made, source, options);
  write_file_atomic(made / kDigestFile, digest_of_manifest(made));
  std::error_code error;  // another process may have been faster: its entry is as good
  fs::rename(made, cache / source.key(), error);
  sync_folder(cache);
  return package;
}

Package import_without_cache(const Source& source, const ImportOptions& options) {
  const TemporaryFolder folder(fs::temp_directory_path());
  return import_into(folder.path() / "package", source, options);
}

}  // namespace

Package import_cached(const fs::path& file, const ImportOptions& options) {
  const Source source{file, sha256_of_file(file, kModelFileLimit)};
  const auto cache = cache_folder();
  if (!cache) return import_without_cache(source, options);
  const fs::path entry = *cache / source.key();
  if (auto package = load_entry(entry, source, options)) return *std::move(package);

  // The lock only saves work: without it, every process would import and the last rename lose.
  const FileLock lock(*cache / cat(".lock-", source.key()), options.time_limit);
  if (auto package = load_entry(entry, source, options)) return *std::move(package);
  try {
    return import_and_keep(*cache, source, options);
  } catch (const Error& error) {
    if (!is_io(error)) throw;
  }
  return import_without_cache(source, options);
}

}  // namespace fovea
