#include "models/builders/zoo.h"

#include <filesystem>
#include <system_error>

#include <fovea/zoo.h>

#include "engine/api/model_graph.h"
#include "engine/api/zoo_manifest.h"
#include "engine/core/env.h"
#include "engine/core/require.h"
#include "engine/importers/fetch_weights.h"
#include "engine/importers/weights_cache.h"

namespace fovea {

namespace fs = std::filesystem;

std::vector<std::string_view> zoo_names() {
  std::vector<std::string_view> names;
  for (const zoo::Model& model : zoo::models()) names.push_back(model.name);
  return names;
}

std::string_view zoo_description(std::string_view name) {
  return zoo::find(name).description;
}

std::int64_t zoo_parameters(std::string_view name) {
  const zoo::Model& model = zoo::find(name);
  const ModelGraph built = model.build(default_input(zoo_manifest(model)));
  std::int64_t parameters = 0;
  for (const Node& node : ModelGraphAccess::graph(built).nodes()) {
    // What is computed has data from the start; a parameter gets it later.
    const auto* constant = node.as<Constant>();
    if (constant != nullptr && constant->data == nullptr) {
      parameters += num_elements(constant->desc.shape);
    }
  }
  return parameters;
}

ZooWeights zoo_weights(std::string_view name) {
  const Manifest manifest = zoo_manifest(zoo::find(name));
  const WeightFile& file = default_weights(manifest);
  ZooWeights weights{.name = file.name,
                     .file = fs::path(file.file).filename().native(),
                     .bytes = file.bytes,
                     .hash = published_hash(file)};
  if (bundled_weights(file) != nullptr) {
    weights.place = WeightsPlace::kBundled;
    return weights;
  }
  if (!cache_home()) return weights;  // nowhere to look
  const fs::path path = weights_path(file);
  weights.path = path.native();
  if (has_weights(path, file)) weights.place = WeightsPlace::kCached;
  return weights;
}

void pull_weights(std::string_view name, const DownloadCallback& progress) {
  const Manifest manifest = zoo_manifest(zoo::find(name));
  const WeightFile& file = default_weights(manifest);
  if (bundled_weights(file) != nullptr) return;
  const fs::path path = weights_path(file);
  if (has_weights(path, file) && hash_of_weights(path, file) != published_hash(file)) {
    std::error_code error;
    fs::remove(path, error);
    if (error) {
      throw Error(ErrorCode::kIoWrite,
                  cat("cannot remove ", path.native(), ", which is damaged: ", error.message()));
    }
  }
  (void)fetch_weights(file, name, {.progress = progress});
}

void verify_weights(std::string_view name) {
  const Manifest manifest = zoo_manifest(zoo::find(name));
  const WeightFile& file = default_weights(manifest);
  if (const EmbeddedFile* bundled = bundled_weights(file)) {
    check_hash(hash_of_weights(bundled->bytes, file), file, name, "the library");
    return;
  }
  const fs::path path = weights_path(file);
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw Error(ErrorCode::kWeightsMissing,
                cat("the weights of ",
                    name,
                    " are not here (",
                    path.native(),
                    "); fovea models pull ",
                    name,
                    " downloads them"));
  }
  check_hash(hash_of_weights(path, file), file, name, path.native());
}

}  // namespace fovea
