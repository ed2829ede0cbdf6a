// A model package: a folder with manifest.json, graph.json and weights.safetensors.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/core/safetensors.h"
#include "engine/graph/graph.h"
#include "engine/importers/manifest.h"

namespace fovea {

inline constexpr const char* kManifestFile = "manifest.json";
inline constexpr const char* kGraphFile = "graph.json";
inline constexpr const char* kWeightsFile = "weights.safetensors";

/// What every package has. The file of its labels has the name that the manifest says.
inline constexpr std::array kPackageFiles{kManifestFile, kGraphFile, kWeightsFile};

struct Package {
  Graph graph;
  Manifest manifest;

  /// The content of the label file where has_label_file(manifest); empty else.
  std::string labels;
};

/// Whether `path` is a folder or has the name of a manifest, as load_package takes. Nothing is
/// read.
[[nodiscard]] bool is_package_path(const std::filesystem::path& path);

/// Reads a package; `path` is its folder or the manifest.json in it. The graph's constants are
/// views of the mapped weights, so the folder may be removed afterwards, but not written into.
///
/// Throws Error, naming the file: model/not-found where there is no manifest.json; model/corrupt
/// for a missing or damaged file (damage to the files that the manifest has a hash of is always
/// noticed), and for a manifest that does not fit its graph; model/unsupported-format,
/// model/unsupported-op, model/limit as parse_manifest and parse_graph.
[[nodiscard]] Package load_package(const std::filesystem::path& path);

/// The package of parts that are in memory, checked as load_package checks those of a folder.
///
/// graph     text as graph_json writes it
/// tensors   the constants' data
/// labels    the content of the label file where has_label_file(manifest)
/// manifest_origin, graph_origin   name the parts in messages; the second may be empty
[[nodiscard]] Package assemble_package(Manifest manifest,
                                       std::string_view graph,
                                       const NamedTensors& tensors,
                                       std::string labels,
                                       std::string_view manifest_origin,
                                       std::string_view graph_origin);

/// Writes a package as the folder `path`, with manifest.files filled in. The folder is written
/// beside its place and renamed, so that it appears complete or not at all; folders above it are
/// created. A folder that is there already and empty stays what it is, and gets the files once all
/// are written, manifest.json last: without it there is no package. Of several processes that write
/// to one place one succeeds, the others get io/write. A killed process can leave a folder behind
/// whose name begins with ".fovea-".
///
/// Throws Error, naming `path`: io/write where something else is there; io/write and io/no-space;
/// InvalidArgument for an empty path and a manifest that does not fit the graph.
void save_package(const std::filesystem::path& path, const Package& package);

}  // namespace fovea
