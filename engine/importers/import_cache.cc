#include "engine/importers/import_cache.h"

#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "engine/core/digest.h"
#include "engine/core/env.h"
#include "engine/core/file.h"
#include "engine/core/file_lock.h"
#include "engine/core/hash.h"
#include "engine/core/require.h"
#include "engine/importers/import_process.h"
#include "engine/importers/importer_version.h"
#include "engine/importers/known_digests.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

/// What the importer reads.
constexpr FileLimit kModelFileLimit{std::uint64_t{2} << 30, ErrorCode::kModelLimit};
constexpr const char* kDigestFile = "manifest.xxh3";
constexpr const char* kTemporaryPrefix = ".new-";
constexpr const char* kLockPrefix = ".lock-";

/// What differs between the two kinds of packages.
template <typename Contents>
struct Kind;

template <>
struct Kind<Package> {
  static constexpr const char* kDescription = kManifestFile;

  static Package load(const fs::path& folder) { return load_package(folder); }

  static const std::optional<ImportSource>& source(const Package& package) {
    return package.manifest.source;
  }
};

template <>
struct Kind<WeightsPackage> {
  static constexpr const char* kDescription = kLayersFile;

  static WeightsPackage load(const fs::path& folder) { return load_weights_package(folder); }

  static const std::optional<ImportSource>& source(const WeightsPackage& package) {
    return package.source;
  }
};

/// A foreign file and what it is known by.
struct Source {
  fs::path file;
  std::string sha256;

  [[nodiscard]] std::string key() const { return cat(sha256, '-', kImporterVersion); }
};

/// Passes on the first warning of an import. The second look at an entry would say the same again.
class Warnings {
 public:
  explicit Warnings(const ImportOptions& options) : options_(options) {}

  void warn(const std::string& message) {
    if (std::exchange(warned_, true)) return;
    fovea::warn(options_, message);
  }

 private:
  const ImportOptions& options_;
  bool warned_ = false;
};

bool is_io(const Error& error) {
  return error.code() == ErrorCode::kIoWrite || error.code() == ErrorCode::kIoNoSpace;
}

/// Of the file that has the hashes of the others.
template <typename Contents>
std::string digest_of_description(const fs::path& package) {
  const std::string text = read_text_file(package / Kind<Contents>::kDescription);
  return xxh3_128(std::as_bytes(std::span(text)));
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

void check_source(const std::optional<ImportSource>& from, const Source& source) {
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
template <typename Contents>
std::optional<Contents> load_entry(const fs::path& entry,
                                   const Source& source,
                                   Warnings& warnings) {
  std::error_code error;
  if (!fs::is_directory(entry, error)) return std::nullopt;
  try {
    if (read_text_file(entry / kDigestFile) != digest_of_description<Contents>(entry)) {
      throw Error(ErrorCode::kModelCorrupt,
                  cat(Kind<Contents>::kDescription, " is not what was written"));
    }
    Contents contents = Kind<Contents>::load(entry);
    check_source(Kind<Contents>::source(contents), source);
    return contents;
  } catch (const Error& damage) {
    warnings.warn(cat("the cached package of ",
                      source.file.native(),
                      damage.code() == ErrorCode::kIoRead ? " cannot be read (" : " is damaged (",
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

/// The package in the folder, which the importer made and which is gone when its errors are read:
/// they name the file that was imported.
template <typename Contents>
Contents load_made(const fs::path& folder, const Source& source) {
  try {
    return Kind<Contents>::load(folder);
  } catch (const Error& error) {
    std::string message = error.what();
    const std::string prefix = (folder / "").native();
    if (const auto found = message.find(prefix); found != std::string::npos) {
      message.erase(found, prefix.size());
    }
    throw Error(error.code(),
                cat(source.file.native(),
                    ": the package that the importer made of it cannot be used: ",
                    message));
  }
}

/// Imports into the new folder. The package stays usable when the folder is gone.
template <typename Contents>
Contents import_into(const fs::path& folder, const Source& source, const ImportOptions& options) {
  run_importer(source.file, folder, options.time_limit);
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw Error(ErrorCode::kModelImporterCrashed,
                cat("the importer made no package of ", source.file.native()));
  }
  Contents contents = load_made<Contents>(folder, source);
  check_source(Kind<Contents>::source(contents), source);
  return contents;
}

constexpr std::chrono::milliseconds kOneTry{1};

/// Removes what processes left behind that were killed more than an hour ago.
void remove_leftovers(const fs::path& folder) {
  const auto limit = fs::file_time_type::clock::now() - std::chrono::hours(1);
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().native();
    std::error_code ignored;
    if (entry->last_write_time(ignored) > limit || ignored) continue;
    if (name.starts_with(kTemporaryPrefix)) fs::remove_all(entry->path(), ignored);
    // Had and given back, a lock removes its file; one that somebody holds stays.
    if (name.starts_with(kLockPrefix)) const FileLock lock(entry->path(), kOneTry);
  }
}

template <typename Contents>
Contents import_and_keep(const fs::path& cache,
                         const Source& source,
                         const ImportOptions& options) {
  remove_leftovers(cache);
  const TemporaryFolder folder(cache, kTemporaryPrefix);
  const fs::path made = folder.path() / "package";
  Contents contents = import_into<Contents>(made, source, options);
  write_file_atomic(made / kDigestFile, digest_of_description<Contents>(made));
  std::error_code error;  // another process may have been faster: its entry is as good
  fs::rename(made, cache / source.key(), error);
  sync_folder(cache);
  return contents;
}

template <typename Contents>
Contents import_without_cache(const Source& source, const ImportOptions& options) {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  if (error) {
    throw Error(ErrorCode::kIoWrite,
                cat("cannot import ",
                    source.file.native(),
                    ": there is no folder for temporary files (TMPDIR): ",
                    error.message()));
  }
  const TemporaryFolder folder(parent);
  return import_into<Contents>(folder.path() / "package", source, options);
}

/// The file's package, called like the file that it was first made of.
template <typename Contents>
Contents import_content(const fs::path& file, const ImportOptions& options) {
  const auto hash = [&file] { return sha256_of_file(file, kModelFileLimit); };
  const Source source{file, known_digest(file, "sha256", hash)};
  const auto cache = cache_folder();
  if (!cache) return import_without_cache<Contents>(source, options);
  const fs::path entry = *cache / source.key();
  Warnings warnings(options);
  if (auto found = load_entry<Contents>(entry, source, warnings)) return *std::move(found);

  // The lock only saves work: without it, every process would import and the last rename lose.
  const FileLock lock(*cache / cat(kLockPrefix, source.key()), options.time_limit);
  if (auto found = load_entry<Contents>(entry, source, warnings)) return *std::move(found);
  try {
    return import_and_keep<Contents>(*cache, source, options);
  } catch (const Error& error) {
    if (!is_io(error)) throw;
  }
  return import_without_cache<Contents>(source, options);
}

}  // namespace

Package import_cached(const fs::path& file, const ImportOptions& options) {
  auto package = import_content<Package>(file, options);
  name_after(package.manifest, file);
  return package;
}

WeightsPackage import_weights_cached(const fs::path& file, const ImportOptions& options) {
  return import_content<WeightsPackage>(file, options);
}

}  // namespace fovea
