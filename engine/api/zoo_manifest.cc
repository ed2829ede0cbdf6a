#include "engine/api/zoo_manifest.h"

#include "engine/core/require.h"

namespace fovea {

Manifest zoo_manifest(const zoo::Model& model) {
  const std::string path = cat(model.folder, "/manifest.json");
  const EmbeddedFile* file = find_embedded_file(path);
  if (file == nullptr) {
    throw Error(ErrorCode::kInternal, cat("no file '", path, "' in the library"));
  }
  return parse_manifest(file->text(), path);
}

zoo::InputSize default_input(const Manifest& manifest) {
  if (!manifest.preprocess) {
    throw Error(ErrorCode::kInternal,
                cat("the manifest of '", manifest.name, "' has no preprocessing contract"));
  }
  return {manifest.preprocess->height, manifest.preprocess->width};
}

const WeightFile& default_weights(const Manifest& manifest) {
  if (manifest.weights.empty()) {
    throw Error(ErrorCode::kWeightsMissing,
                cat("no weights of '", manifest.name, "' are known; use --weights"));
  }
  return manifest.weights.front();
}

const EmbeddedFile* bundled_weights(const WeightFile& file) {
  return find_embedded_file(file.file);
}

}  // namespace fovea
