// What a model says of itself: manifest.json of a package and of every network of the zoo.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/preprocess.h>

namespace fovea {

/// A file of weights that a network can be given.
struct WeightFile {
  std::string name;    ///< as after --weights, for example "imagenet"
  std::string format;  ///< "safetensors" or "keras-h5"
  std::string file;    ///< below models/ for files that are part of the library, else a file name
  std::uint64_t bytes = 0;  ///< 0 where unknown
  std::string md5;          ///< lower-case hexadecimal, or empty
  std::string sha256;       ///< lower-case hexadecimal, or empty
  std::vector<std::string> urls;

  bool operator==(const WeightFile&) const = default;
};

/// Where an imported package came from.
struct ImportSource {
  std::string file;    ///< name without its folders
  std::string sha256;  ///< lower-case hexadecimal

  bool operator==(const ImportSource&) const = default;
};

struct Manifest {
  std::string name;
  std::string description;                   ///< one line; may be empty
  std::optional<PreprocessSpec> preprocess;  ///< nothing where it is not known
  std::string labels;                        ///< a file beside the manifest, or empty
  bool logits = false;                       ///< output 0 has not been through a softmax
  double random_head = 1.0;                  ///< see fill_random_weights
  std::vector<WeightFile> weights;
  std::optional<ImportSource> source;

  bool operator==(const Manifest&) const = default;
};

/// Reads manifest.json; keys that are not known are ignored. `origin` names the text in messages.
/// Throws Error: model/corrupt, naming the key, model/unsupported-format for a newer format.
[[nodiscard]] Manifest parse_manifest(std::string_view text, std::string_view origin);

/// The manifest as JSON, two spaces an indent; parse_manifest gives it back.
[[nodiscard]] std::string to_json(const Manifest& manifest);

}  // namespace fovea
