#include "engine/importers/open_model.h"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

#include "engine/core/file.h"
#include "engine/core/require.h"
#include "engine/importers/import_cache.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

/// A format that this build does not import: how its files begin, and what to say.
struct ForeignFormat {
  std::size_t offset;
  std::string_view magic;
  std::string_view what;
};

constexpr std::array<ForeignFormat, 4> kForeignFormats{{
    {0, "\x89HDF\r\n\x1a\n"sv, "is an HDF5 file (Keras .h5)"},
    {0, "PK\x03\x04"sv, "is a zip archive (Keras .keras, or a PyTorch checkpoint)"},
    {4, "TFL3"sv, "is a TensorFlow Lite model"},
    {4, "\0\0\0\0{\""sv, "holds weights only (safetensors); give it with --weights"},
}};

void check_format(const fs::path& path) {
  const std::string start = read_start(path, 16);
  for (const ForeignFormat& format : kForeignFormats) {
    if (start.size() < format.offset + format.magic.size()) continue;
    if (start.substr(format.offset, format.magic.size()) != format.magic) continue;
    throw Unsupported(
        cat(path.native(), " ", format.what, "; this build imports ONNX files and model packages"),
        ErrorCode::kModelUnsupportedFormat);
  }
}

}  // namespace

Package open_model_file(const fs::path& path, const ImportOptions& options) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw Error(ErrorCode::kModelNotFound,
                cat("there is no model file ", path.native(), error ? ": " + error.message() : ""));
  }
  if (fs::is_directory(path, error) || path.filename() == "manifest.json") {
    return load_package(path);
  }
  check_format(path);
  return import_cached(path, options);
}

}  // namespace fovea
