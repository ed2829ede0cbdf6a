#include "engine/importers/weights_package.h"

#include <cstdio>
#include <span>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "engine/core/file.h"
#include "engine/core/hash.h"
#include "engine/core/json_rows.h"
#include "engine/core/require.h"
#include "engine/core/safetensors.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr const char* kWeightsFile = "weights.safetensors";
constexpr FileLimit kLayersLimit{64 << 20, ErrorCode::kModelLimit};
constexpr FileLimit kWeightsLimit{kMaxTensorFileBytes, ErrorCode::kModelLimit};

/// "0002/0/conv1/kernel:0": unique whatever the file calls its tensors, and in the file's order.
std::string stored_name(std::size_t layer, std::size_t tensor, const std::string& name) {
  std::string number = std::to_string(layer);
  number.insert(0, number.size() < 4 ? 4 - number.size() : 0, '0');
  return cat(number, '/', tensor, '/', name);
}

Json to_json_row(const StoredLayer& layer, std::size_t index) {
  Json row{{"name", layer.name}, {"tensors", Json::array()}};
  for (std::size_t i = 0; i < layer.tensors.size(); ++i) {
    const StoredTensor& tensor = layer.tensors[i];
    row["tensors"].push_back({{"name", tensor.name},
                              {"stored", stored_name(index, i, tensor.name)},
                              {"shape", tensor.desc.shape}});
  }
  return row;
}

NamedTensors named_tensors(const std::vector<StoredLayer>& layers) {
  NamedTensors named;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const auto& tensors = layers[k].tensors;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      named[stored_name(k, i, tensors[i].name)] = {tensors[i].desc, tensors[i].data};
    }
  }
  return named;
}

void write_parts(const fs::path& folder, const WeightsPackage& package) {
  write_safetensors(folder / kWeightsFile, named_tensors(package.layers));
  Json json{{"format", kFormat}, {"notes", package.notes}, {"layers", Json::array()}};
  if (package.source) {
    json["source"] = {{"file", package.source->file},
                      {"sha256", package.source->sha256},
                      {"importer", package.source->importer}};
  }
  json["files"] = {{kWeightsFile, xxh3_128(MappedFile::open(folder / kWeightsFile)->bytes())}};
  for (std::size_t k = 0; k < package.layers.size(); ++k) {
    json["layers"].push_back(to_json_row(package.layers[k], k));
  }
  write_file_atomic(folder / kLayersFile, json.dump() + "\n");
}

/// Reads layers.json piece by piece.
class LayersReader {
 public:
  explicit LayersReader(const NamedTensors& tensors) : tensors_(tensors) {}

  void take_value(const std::string& key, const Json& value) {
    if (key == "format") format_ = value.get<int>();
    if (key == "files") hash_ = value.at(kWeightsFile).get<std::string>();
    if (key == "source") {
      package_.source = {.file = value.at("file").get<std::string>(),
                         .sha256 = value.at("sha256").get<std::string>(),
                         .importer = value.at("importer").get<std::int64_t>()};
    }
  }

  void take_row(const std::string& key, const Json& row) {
    if (key == "notes") package_.notes.push_back(row.get<std::string>());
    if (key != "layers") return;
    StoredLayer layer{.name = row.at("name").get<std::string>(), .tensors = {}};
    for (const Json& tensor : row.at("tensors")) layer.tensors.push_back(read_tensor(tensor));
    package_.layers.push_back(std::move(layer));
  }

  /// What was read. The hash is that of the tensors' file.
  [[nodiscard]] WeightsPackage finish(const std::string& hash) {
    if (format_ != kFormat) {
      throw Error(ErrorCode::kModelUnsupportedFormat,
                  cat("it has format ", format_, "; this version reads format ", kFormat));
    }
    if (hash != hash_) {
      throw Error(ErrorCode::kModelCorrupt,
                  cat(kWeightsFile, " is damaged: its content is not what was written"));
    }
    return std::move(package_);
  }

 private:
  [[nodiscard]] StoredTensor read_tensor(const Json& row) const {
    const auto& stored = row.at("stored").get_ref<const std::string&>();
    const auto found = tensors_.find(stored);
    if (found == tensors_.end() || found->second.first.dtype != DType::kFloat32 ||
        found->second.first.shape != row.at("shape").get<Shape>()) {
      throw Error(ErrorCode::kModelCorrupt,
                  cat(kWeightsFile, " has no such tensor '", stored, "'"));
    }
    return {row.at("name").get<std::string>(), found->second.first, found->second.second};
  }

  const NamedTensors& tensors_;
  WeightsPackage package_;
  int format_ = 0;
  std::string hash_;
};

WeightsPackage read_parts(const fs::path& folder) {
  const std::string text = read_text_file(folder / kLayersFile, kLayersLimit);
  // Mapped for the hash alone, so that the pages that this reads do not stay the process's.
  const std::string hash =
      xxh3_128(MappedFile::open(folder / kWeightsFile, kWeightsLimit)->bytes());
  const NamedTensors tensors = read_safetensors(folder / kWeightsFile);
  LayersReader reader(tensors);
  try {
    read_json_rows(
        text,
        [&](const std::string& key, const Json& value) { reader.take_value(key, value); },
        [&](const std::string& key, const Json& row) { reader.take_row(key, row); });
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kModelCorrupt, cat(kLayersFile, ": ", error.what()));
  }
  return reader.finish(hash);
}

}  // namespace

WeightsPackage load_weights_package(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / kLayersFile, error)) {
    throw Error(ErrorCode::kModelNotFound,
                cat("there are no weights at ", folder.native(), ": it has no ", kLayersFile));
  }
  try {
    return read_parts(folder);
  } catch (const Error& failure) {
    const bool unreadable = failure.code() == ErrorCode::kIoRead;
    throw Error(unreadable ? ErrorCode::kModelCorrupt : failure.code(),
                cat(folder.native(), ": ", failure.what()));
  }
}

void save_weights_package(const fs::path& folder, const WeightsPackage& package) {
  std::error_code error;
  if (!fs::create_directory(folder, error)) {
    throw Error(ErrorCode::kIoWrite,
                cat("cannot create ",
                    folder.native(),
                    ": ",
                    error ? error.message() : std::string("it is there already")));
  }
  try {
    write_parts(folder, package);
  } catch (...) {
    fs::remove_all(folder, error);
    throw;
  }
}

}  // namespace fovea
