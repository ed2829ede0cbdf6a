#include "engine/importers/open_model.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <system_error>

#include "engine/core/require.h"
#include "engine/importers/file_format.h"
#include "engine/importers/import_cache.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;

/// A Keras file, which is imported without its network, if it has one.
std::string describe(const WeightsPackage& package) {
  const auto layers = std::ranges::count_if(
      package.layers, [](const StoredLayer& layer) { return !layer.tensors.empty(); });
  // The importer notes it where it left a network out.
  const bool whole = std::ranges::any_of(package.notes, [](const std::string& note) {
    return note.find("whole model") != std::string::npos;
  });
  return cat(
      whole ? "holds a whole Keras model, of which only the weights are read (.h5, "
            : "holds weights only (Keras .h5, ",
      layers,
      " layers with weights); give it with --weights to the network that it belongs to, as in "
      "resnet50 --weights FILE.h5");
}

/// Refuses the formats that hold no network that this build reads.
void check_format(const fs::path& path, const ImportOptions& options) {
  constexpr const char* kImported = "; this build imports ONNX files and model packages";
  const auto refuse = [&](const std::string& what) {
    throw Unsupported(cat(path.native(), ' ', what, kImported), ErrorCode::kModelUnsupportedFormat);
  };
  switch (file_format(path)) {
    case FileFormat::kHdf5:
      refuse(describe(import_weights_cached(path, options)));
      break;
    case FileFormat::kZip:
      refuse("is a zip archive (Keras .keras, or a PyTorch checkpoint)");
      break;
    case FileFormat::kTensorFlowLite:
      refuse("is a TensorFlow Lite model");
      break;
    case FileFormat::kSafetensors:
      refuse("holds weights only (safetensors); give it with --weights");
      break;
    case FileFormat::kOther:
      break;
  }
}

}  // namespace

void warn(const ImportOptions& options, const std::string& message) {
  if (options.warn) {
    options.warn(message);
  } else {
    std::fprintf(stderr, "fovea: warning: %s\n", message.c_str());
  }
}

Package open_model_file(const fs::path& path, const ImportOptions& options) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw Error(ErrorCode::kModelNotFound,
                cat("there is no model file ", path.native(), error ? ": " + error.message() : ""));
  }
  if (is_package_path(path)) return load_package(path);
  check_format(path, options);
  return import_cached(path, options);
}

}  // namespace fovea
