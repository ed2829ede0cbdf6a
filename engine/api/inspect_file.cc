// What is in a plan file or a package.
#include <filesystem>
#include <system_error>

#include <fovea/plan_file.h>

#include "engine/api/plan_file.h"
#include "engine/api/plan_record.h"
#include "engine/core/digest.h"
#include "engine/core/require.h"
#include "engine/importers/shared_tensors.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

FileInfo about_model(const Manifest& manifest) {
  FileInfo info;
  info.model = manifest.name;
  info.description = manifest.description;
  info.preprocessing = manifest.preprocess;
  info.labels = manifest.labels;
  if (manifest.source) {
    info.source = cat(manifest.source->file, " (SHA-256 ", manifest.source->sha256, ')');
  }
  return info;
}

/// Of the package's files together.
std::uint64_t package_bytes(const fs::path& folder, const Manifest& manifest) {
  std::uint64_t bytes = has_label_file(manifest) ? fs::file_size(folder / manifest.labels) : 0;
  for (const char* file : kPackageFiles) bytes += fs::file_size(folder / file);
  return bytes;
}

FileInfo inspect_package(const fs::path& path) {
  const Package package = load_package(path);
  FileInfo info = about_model(package.manifest);
  for (const NodeId id : package.graph.inputs()) {
    info.inputs.push_back({package.graph.node(id).name, package.graph.node(id).outputs[0]});
  }
  for (const GraphOutput& output : package.graph.outputs()) {
    info.outputs.push_back({output.name, package.graph.desc(output.value)});
  }
  const fs::path folder = fs::is_directory(path) ? path : path.parent_path();
  const fs::path weights = folder / kWeightsFile;
  info.weights = {
      .place = "file", .bytes = fs::file_size(weights), .sha256 = sha256_of_file(weights)};
  info.file_bytes = package_bytes(folder, package.manifest);
  return info;
}

FileInfo inspect_plan(const fs::path& path) {
  const PlanFile file(path);
  const CompiledFacts facts = file.facts();
  FileInfo info = about_model(file.manifest());
  PlanRecord record = file.parse("record", parse_plan_record);
  info.file_bytes = file.mapping()->bytes().size();
  info.inputs = std::move(record.inputs);
  info.outputs = std::move(record.outputs);
  info.weights = {.place = "file", .bytes = facts.weights_bytes, .sha256 = {}};
  if (facts.shared_xxh3.empty()) {
    info.weights.sha256 = sha256(file.bytes("weights"));
  } else {
    const fs::path shared = path_of({.xxh3 = facts.shared_xxh3, .bytes = facts.weights_bytes});
    std::error_code error;
    info.weights.place = "cache";
    if (fs::exists(shared, error)) info.weights.sha256 = sha256_of_file(shared);
  }

  CompiledInfo& compiled = info.compiled.emplace();
  compiled.format = format_of_plan(file.mapping()->bytes());
  compiled.version = facts.version;
  compiled.backend = facts.backend;
  compiled.fingerprint = facts.fingerprint;
  compiled.options = std::move(record.options);
  compiled.buckets = std::move(record.buckets);
  compiled.packed_weights = facts.packed.size();
  for (const auto& [key, place] : facts.packed) compiled.packed_bytes += place.bytes;
  for (const auto& [signature, choice] : file.parse("choices", parse_choices)) {
    compiled.tactics.emplace_back(signature, choice.tactic);
  }
  for (const auto& [node, tactics] : file.locks()) {
    for (const auto& [batch, tactic] : tactics) compiled.locks.push_back({node, batch, tactic});
  }
  for (const PlanSection& section : file.sections()) {
    compiled.sections.push_back({section.name, section.bytes.size(), section.xxh3});
  }
  return info;
}

}  // namespace

FileInfo inspect_file(std::string_view file) {
  const fs::path path(file);
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw Error(
        error ? ErrorCode::kIoRead : ErrorCode::kModelNotFound,
        error ? cat("cannot read ", file, ": ", error.message()) : cat("there is no file ", file));
  }
  if (is_plan_file(path)) return inspect_plan(path);
  if (is_package_path(path)) return inspect_package(path);
  const bool model = path.extension() == ".onnx";
  throw Unsupported(cat(file,
                        " is neither a plan file nor a model package",
                        model ? "; fovea compile makes the one of it, fovea import the other"
                              : ": fovea compile and fovea import write those"),
                    ErrorCode::kModelUnsupportedFormat);
}

}  // namespace fovea
