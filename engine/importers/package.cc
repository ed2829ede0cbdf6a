#include "engine/importers/package.h"

#include <algorithm>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "engine/core/file.h"
#include "engine/core/hash.h"
#include "engine/core/require.h"
#include "engine/core/safetensors.h"
#include "engine/graph/graph_io.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

constexpr const char* kManifestFile = "manifest.json";
constexpr const char* kGraphFile = "graph.json";
constexpr const char* kWeightsFile = "weights.safetensors";

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

/// Puts the file's name in front of what is wrong with its content.
template <typename Parse>
auto parse_part(const fs::path& path, const Parse& parse) {
  try {
    return parse();
  } catch (const Error& error) {
    throw Error(error.code(), cat(path.parent_path().native(), ": ", error.what()));
  }
}

/// Removes what was written into a new package unless it is kept.
class Unfinished {
 public:
  explicit Unfinished(fs::path folder) : folder_(std::move(folder)) {}

  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  ~Unfinished() {
    if (kept_) return;
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  void keep() { kept_ = true; }

 private:
  fs::path folder_;
  bool kept_ = false;
};

/// Creates the folder, or takes one that is there and empty.
void claim(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && !fs::is_empty(folder, error) && !error) {
    throw Error(ErrorCode::kIoWrite,
                cat(folder.native(), " is not empty; remove it or choose another name"));
  }
  if (error) {
    const bool full = error == std::errc::no_space_on_device;
    throw Error(full ? ErrorCode::kIoNoSpace : ErrorCode::kIoWrite,
                cat("cannot create ", folder.native(), ": ", error.message()));
  }
}

}  // namespace

Package load_package(const fs::path& path) {
  std::error_code error;
  const fs::path folder = path.filename() == kManifestFile ? path.parent_path() : path;
  const fs::path manifest_path = folder / kManifestFile;
  if (!fs::exists(manifest_path, error)) {
    throw Error(ErrorCode::kModelNotFound,
                cat("there is no package at ", path.native(), ": it has no ", kManifestFile));
  }

  Package package;
  const std::string manifest = read_part(read_text_file, manifest_path, kManifestLimit);
  package.manifest = parse_manifest(manifest, manifest_path.native());

  const fs::path weights_path = folder / kWeightsFile;
  const auto weights = read_part(MappedFile::open, weights_path, kWeightsLimit);
  check_hash(package.manifest, weights_path, weights->bytes());
  const fs::path graph_path = folder / kGraphFile;
  const std::string graph = read_part(read_text_file, graph_path, kGraphLimit);
  check_hash(package.manifest, graph_path, std::as_bytes(std::span(graph)));
  package.graph = parse_part(
      graph_path, [&] { return parse_graph(graph, parse_safetensors(weights->bytes(), weights)); });

  if (has_label_file(package.manifest)) {
    const fs::path labels_path = folder / package.manifest.labels;
    package.labels = read_part(read_text_file, labels_path, kLabelsLimit);
  }
  if (const std::string what = misfit(package); !what.empty()) {
    throw Error(ErrorCode::kModelCorrupt, cat(folder.native(), ": ", what));
  }
  return package;
}

void save_package(const fs::path& path, const Package& package) {
  if (const std::string what = misfit(package); !what.empty()) throw InvalidArgument(what);
  claim(path);
  Unfinished unfinished(path);

  Manifest manifest = package.manifest;
  const std::string graph = graph_json(package.graph);
  write_file_atomic(path / kGraphFile, graph);
  write_safetensors(path / kWeightsFile, constant_tensors(package.graph));
  if (has_label_file(manifest)) {
    std::error_code ignored;  // writing the file reports what is wrong
    fs::create_directories((path / manifest.labels).parent_path(), ignored);
    write_file_atomic(path / manifest.labels, package.labels);
  }
  manifest.files = {{kGraphFile, xxh3_128(std::as_bytes(std::span(graph)))},
                    {kWeightsFile, xxh3_128(MappedFile::open(path / kWeightsFile)->bytes())}};
  write_file_atomic(path / kManifestFile, to_json(manifest));
  unfinished.keep();
}

}  // namespace fovea
