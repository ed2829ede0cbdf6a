#include "engine/importers/package.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/core/file.h"
#include "engine/core/hash.h"
#include "engine/core/require.h"
#include "engine/core/safetensors.h"
#include "engine/graph/graph_io.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

constexpr const char* kStagingPrefix = ".fovea-";
constexpr const char* kClaim = ".fovea-package";

constexpr FileLimit kManifestLimit{1 << 20, ErrorCode::kModelLimit};
constexpr FileLimit kLabelsLimit{16 << 20, ErrorCode::kModelLimit};
constexpr FileLimit kGraphLimit{256 << 20, ErrorCode::kModelLimit};
constexpr FileLimit kWeightsLimit{kMaxTensorFileBytes, ErrorCode::kModelLimit};

/// A file that belongs to the package: unreadable means that the package is damaged.
template <typename Read>
auto read_part(const Read& read, const fs::path& path, const FileLimit& limit) {
  try {
    return read(path, limit);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kIoRead) throw;
    throw Error(ErrorCode::kModelCorrupt, cat("the package is incomplete: ", error.what()));
  }
}

void check_hash(const Manifest& manifest, const fs::path& path, std::span<const std::byte> bytes) {
  const auto expected = manifest.files.find(path.filename().native());
  if (expected == manifest.files.end() || xxh3_128(bytes) == expected->second) return;
  throw Error(ErrorCode::kModelCorrupt,
              cat(path.native(),
                  " is damaged: its content is not what manifest.json says; import the model "
                  "again, or remove its line under 'files' if you changed it on purpose"));
}

/// What is wrong between the manifest and the graph; empty where they fit.
std::string misfit(const Package& package) {
  const Manifest& manifest = package.manifest;
  const NodeId input = package.graph.find(manifest.input);
  if (input < 0 || package.graph.node(input).as<Input>() == nullptr) {
    return cat("the manifest's input '", manifest.input, "' is no input of the graph");
  }
  const auto outputs = package.graph.outputs();
  const bool same =
      std::ranges::equal(outputs, manifest.outputs, {}, &GraphOutput::name, &ManifestOutput::name);
  if (!same || outputs.empty()) {
    return cat("the manifest's ",
               manifest.outputs.size(),
               " outputs are not the graph's ",
               outputs.size(),
               ", in their order");
  }
  return {};
}

/// Puts the origin's name in front of what is wrong with the content of its files.
template <typename Parse>
auto parse_part(std::string_view origin, const Parse& parse) {
  try {
    return parse();
  } catch (const Error& error) {
    throw Error(error.code(), origin.empty() ? error.what() : cat(origin, ": ", error.what()));
  }
}

[[noreturn]] void fail_creating(const fs::path& folder, const std::error_code& error) {
  const bool full = error == std::errc::no_space_on_device || error.value() == EDQUOT;
  throw Error(full ? ErrorCode::kIoNoSpace : ErrorCode::kIoWrite,
              cat("cannot create ", folder.native(), ": ", error.message()));
}

[[noreturn]] void fail_in_use(const fs::path& folder) {
  throw Error(ErrorCode::kIoWrite,
              cat(folder.native(), " is not empty; remove it or choose another name"));
}

/// Writes the files of a package into an empty folder.
void write_parts(const fs::path& folder, const Package& package) {
  Manifest manifest = package.manifest;
  const std::string graph = graph_json(package.graph);
  write_file_atomic(folder / kGraphFile, graph);
  write_safetensors(folder / kWeightsFile, constant_tensors(package.graph));
  if (has_label_file(manifest)) {
    std::error_code ignored;  // writing the file reports what is wrong
    fs::create_directories((folder / manifest.labels).parent_path(), ignored);
    write_file_atomic(folder / manifest.labels, package.labels);
  }
  manifest.files = {{kGraphFile, xxh3_128(std::as_bytes(std::span(graph)))},
                    {kWeightsFile, xxh3_128(MappedFile::open(folder / kWeightsFile)->bytes())}};
  write_file_atomic(folder / kManifestFile, to_json(manifest));
}

/// The same into the empty folder `written`, with errors that name the target where the files are
/// to appear.
void write_parts_for(const fs::path& target, const fs::path& written, const Package& package) {
  try {
    write_parts(written, package);
  } catch (const Error& failure) {
    std::string message = failure.what();
    const auto found = message.find(written.native());
    if (found == std::string::npos) throw;
    message.replace(found, written.native().size(), target.native());
    throw Error(failure.code(), message);
  }
}

/// A folder of ours beside the target.
TemporaryFolder make_staging(const fs::path& parent, const fs::path& target) {
  try {
    return TemporaryFolder(parent, kStagingPrefix);
  } catch (const Error& failure) {
    throw Error(failure.code(), cat("cannot create ", target.native(), ": ", failure.what()));
  }
}

/// Writes beside the target, which is not there, and renames: that replaces at most a folder that
/// is empty.
void save_as(const fs::path& target, const Package& package) {
  const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::error_code error;
  fs::create_directories(parent, error);
  if (error) fail_creating(target, error);
  const TemporaryFolder staging = make_staging(parent, target);
  const fs::path written = staging.path() / "package";  // unlike its parent, for all to read
  fs::create_directory(written, error);
  if (error) fail_creating(target, error);
  write_parts_for(target, written, package);
  fs::rename(written, target, error);
  if (error == std::errc::directory_not_empty || error == std::errc::file_exists) {
    fail_in_use(target);
  }
  if (error) fail_creating(target, error);
  sync_folder(parent);
}

/// A new folder in a folder, by whose fixed name one process keeps others out. Removed by the
/// destructor with all that is in it.
class Claim {
 public:
  explicit Claim(const fs::path& folder) : path_(folder / kClaim) {
    std::error_code error;
    const bool made = fs::create_directory(path_, error);
    if (error) fail_creating(folder, error);
    if (!made) fail_in_use(folder);
  }

  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  ~Claim() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// The names in a folder; of a package's files the manifest comes last.
std::vector<fs::path> names_in(const fs::path& folder, const fs::path& target) {
  std::vector<fs::path> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  if (error) fail_creating(target, error);
  std::ranges::stable_partition(names, [](const fs::path& name) { return name != kManifestFile; });
  return names;
}

/// Writes inside the target, a folder that the user made: it stays, since it may be a mount point
/// or the current folder of a shell.
void save_into(const fs::path& target, const Package& package) {
  if (!names_in(target, target).empty()) fail_in_use(target);
  const Claim claim(target);
  if (names_in(target, target).size() != 1) fail_in_use(target);  // filled before the claim
  write_parts_for(target, claim.path(), package);
  std::vector<fs::path> moved;
  for (const fs::path& name : names_in(claim.path(), target)) {
    std::error_code error;
    fs::rename(claim.path() / name, target / name, error);
    if (!error) {
      moved.push_back(target / name);
      continue;
    }
    std::error_code ignored;
    for (const fs::path& path : moved) fs::remove_all(path, ignored);
    fail_creating(target, error);
  }
  sync_folder(target);
}

}  // namespace

bool is_package_path(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error) || path.filename() == kManifestFile;
}

Package load_package(const fs::path& path) {
  std::error_code error;
  const fs::path folder = path.filename() == kManifestFile ? path.parent_path() : path;
  const fs::path manifest_path = folder / kManifestFile;
  if (!fs::exists(manifest_path, error)) {
    throw Error(ErrorCode::kModelNotFound,
                cat("there is no package at ", path.native(), ": it has no ", kManifestFile));
  }

  const std::string text = read_part(read_text_file, manifest_path, kManifestLimit);
  Manifest manifest = parse_manifest(text, manifest_path.native());

  const fs::path weights_path = folder / kWeightsFile;
  const auto weights = read_part(MappedFile::open, weights_path, kWeightsLimit);
  check_hash(manifest, weights_path, weights->bytes());
  const fs::path graph_path = folder / kGraphFile;
  const std::string graph = read_part(read_text_file, graph_path, kGraphLimit);
  check_hash(manifest, graph_path, std::as_bytes(std::span(graph)));
  std::string labels;
  if (has_label_file(manifest)) {
    labels = read_part(read_text_file, folder / manifest.labels, kLabelsLimit);
  }
  const NamedTensors tensors =
      parse_part(folder.native(), [&] { return parse_safetensors(weights); });
  return assemble_package(std::move(manifest),
                          graph,
                          tensors,
                          std::move(labels),
                          manifest_path.native(),
                          folder.native());
}

Package assemble_package(Manifest manifest,
                         std::string_view graph,
                         const NamedTensors& tensors,
                         std::string labels,
                         std::string_view manifest_origin,
                         std::string_view graph_origin) {
  Package package;
  package.manifest = std::move(manifest);
  package.labels = std::move(labels);
  package.graph = parse_part(graph_origin, [&] { return parse_graph(graph, tensors); });
  if (const std::string what = misfit(package); !what.empty()) {
    throw Error(ErrorCode::kModelCorrupt, cat(manifest_origin, ": ", what));
  }
  return package;
}

void save_package(const fs::path& path, const Package& package) {
  if (path.empty()) throw InvalidArgument("the name of the package's folder is empty");
  if (const std::string what = misfit(package); !what.empty()) throw InvalidArgument(what);
  fs::path target = path;
  while (target.has_parent_path() && target.has_relative_path() &&
         (!target.has_filename() || target.filename() == ".")) {
    target = target.parent_path();
  }
  std::error_code error;
  switch (fs::status(target, error).type()) {
    case fs::file_type::directory:
      return save_into(target, package);
    case fs::file_type::not_found:
      // A link to nothing; a folder that another process has just made is found by the rename.
      if (fs::is_symlink(target, error)) break;
      return save_as(target, package);
    case fs::file_type::none:
      fail_creating(target, error);
    default:
      break;
  }
  fail_creating(target, std::make_error_code(std::errc::not_a_directory));
}

}  // namespace fovea
