#include "engine/api/weight_file.h"

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>

#include "engine/core/require.h"
#include "engine/core/safetensors.h"
#include "engine/graph/layer_weights.h"
#include "engine/graph/operator_weights.h"
#include "engine/graph/weights.h"
#include "engine/importers/file_format.h"
#include "engine/importers/import_cache.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

/// The published Keras file of the network; nullptr where there is none.
const WeightFile* keras_file(const Manifest& network) {
  const auto found = std::ranges::find(network.weights, "keras-h5", &WeightFile::format);
  return found == network.weights.end() ? nullptr : &*found;
}

/// keras-applications published two files for ResNet50, under one name. The older one, with layers
/// called res2a_branch2a, belongs to a network with another epsilon (1e-3, ours is 1.001e-5): every
/// shape fits and every answer would be a little wrong.
void check_is_not_old_resnet50(const Manifest& network, const std::vector<StoredLayer>& layers) {
  const WeightFile* wanted = keras_file(network);
  if (network.name != "resnet50" || wanted == nullptr) return;
  const auto has = [&](std::string_view name) {
    return std::ranges::find(layers, name, &StoredLayer::name) != layers.end();
  };
  if (!has("bn_conv1") && !has("res2a_branch2a")) return;
  throw Error(ErrorCode::kWeightsShapeMismatch,
              cat("these are the weights of the older ResNet50 of keras-applications (layers "
                  "bn_conv1, res2a_branch2a, ...), which has another epsilon in its batch "
                  "normalisations; use the newer file ",
                  wanted->file,
                  " with the md5 ",
                  wanted->md5));
}

void load_keras(Graph& graph,
                const Manifest& network,
                const fs::path& file,
                const ImportOptions& options) {
  const WeightsPackage package = import_weights_cached(file, options);
  check_is_not_old_resnet50(network, package.layers);
  const std::string warning = load_weights_in_order(graph, package.layers);
  for (const std::string& note : package.notes) warn(options, cat(file.native(), ": ", note));
  if (!warning.empty()) warn(options, cat(file.native(), ": ", warning));
}

Unsupported no_weights() {
  return Unsupported(
      "it is no file of weights that this version reads: safetensors, legacy Keras .h5 or ONNX",
      ErrorCode::kModelUnsupportedFormat);
}

/// What is of no known format is first taken for ONNX, which has no mark of its own.
void load_onnx(Graph& graph, const fs::path& file, const ImportOptions& options) {
  std::optional<Package> package;
  try {
    package = import_cached(file, options);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kModelUnsupportedFormat) throw no_weights();
    throw;
  }
  load_weights_by_operator(graph, package->graph);
}

/// Names the file in errors that know nothing of it.
template <typename Load>
void with_name(const fs::path& file, const Load& load) {
  try {
    load();
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.find(file.native()) != std::string::npos) throw;
    throw Error(error.code(), cat(file.native(), ": ", what));
  }
}

}  // namespace

void load_weight_file(Graph& graph,
                      const Manifest& network,
                      const fs::path& file,
                      const ImportOptions& options) {
  std::error_code error;
  if (!fs::exists(file, error)) {
    throw Error(error ? ErrorCode::kIoRead : ErrorCode::kWeightsMissing,
                error ? cat("cannot read ", file.native(), ": ", error.message())
                      : cat("there is no weights file '",
                            file.native(),
                            "'; weights are imagenet, random[:SEED] or a file: safetensors, "
                            "legacy Keras .h5 or ONNX"));
  }
  with_name(file, [&] {
    switch (file_format(file)) {
      case FileFormat::kSafetensors:
        load_weights(graph, read_safetensors(file));
        break;
      case FileFormat::kHdf5:
        load_keras(graph, network, file, options);
        break;
      case FileFormat::kOther:
        load_onnx(graph, file, options);
        break;
      case FileFormat::kZip:
      case FileFormat::kTensorFlowLite:
        throw no_weights();
    }
  });
}

}  // namespace fovea
