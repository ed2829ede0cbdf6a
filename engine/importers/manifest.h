// What a model says of itself: manifest.json of a package and of every network of the zoo.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/preprocess.h>

namespace fovea {

/// A file of weights that a network can be given.
struct WeightFile {
  std::string name;    ///< as after --weights, for example "imagenet"
  std::string format;  ///< "safetensors", "keras-h5" or "onnx"
  std::string file;    ///< below models/ for files that are part of the library, else a file name
  std::uint64_t bytes = 0;  ///< 0 where unknown
  std::string md5;          ///< lower-case hexadecimal, or empty
  std::string sha256;       ///< lower-case hexadecimal, or empty
  std::vector<std::string> urls;

  bool operator==(const WeightFile&) const = default;
};

/// Where an imported package came from.
struct ImportSource {
  std::string file;           ///< name without its folders
  std::string sha256;         ///< lower-case hexadecimal
  std::int64_t importer = 0;  ///< kImporterVersion of the importer that read it

  bool operator==(const ImportSource&) const = default;
};

/// What the dimensions of a model's input are; kOther for anything but pictures.
enum class InputLayout : std::uint8_t { kNhwc, kNchw, kOther };

/// What the numbers of an output are.
enum class OutputKind : std::uint8_t { kProbabilities, kLogits, kOther };

struct ManifestOutput {
  std::string name;
  OutputKind kind = OutputKind::kOther;

  bool operator==(const ManifestOutput&) const = default;
};

struct Manifest {
  std::string name;
  std::string description;                   ///< one line; may be empty
  std::optional<PreprocessSpec> preprocess;  ///< nothing where it is not known
  std::string labels;        ///< "imagenet", "mnist", a file beside the manifest or below, or empty
  bool logits = false;       ///< output 0 has not been through a softmax
  double random_head = 1.0;  ///< see fill_random_weights
  std::vector<WeightFile> weights;
  std::optional<ImportSource> source;
  std::vector<std::string> notes;  ///< of the importer, for people: what it made of the file

  // Of packages only (package.h):
  std::string input;                               ///< the graph's input for the pictures
  InputLayout input_layout = InputLayout::kOther;  ///< of that input
  std::vector<ManifestOutput> outputs;             ///< in the order of the graph's outputs
  std::map<std::string, std::string> files;        ///< xxh3-128 of the other files, by name

  bool operator==(const Manifest&) const = default;
};

/// Whether the labels are a file of the package, not a set that the library brings along.
[[nodiscard]] bool has_label_file(const Manifest& manifest);

/// Calls an imported package after the file that it was made of: name, and source.file where it
/// has a source.
void name_after(Manifest& manifest, const std::filesystem::path& file);

/// Reads manifest.json; keys that are not known are ignored. `origin` names the text in messages.
/// Throws Error: model/corrupt, naming the key, for a value of another type or out of range, a key
/// that occurs twice, a name with control characters and a label file outside the manifest's
/// folder; model/unsupported-format for a newer format; model/limit.
[[nodiscard]] Manifest parse_manifest(std::string_view text, std::string_view origin);

/// The manifest as JSON, two spaces an indent; parse_manifest gives it back.
[[nodiscard]] std::string to_json(const Manifest& manifest);

}  // namespace fovea
