#include "engine/importers/manifest.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include "engine/core/json_rows.h"
#include "engine/core/largest_side.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

using Json = nlohmann::ordered_json;
constexpr int kFormat = 1;
constexpr std::array<std::string_view, 2> kLabelSets{"imagenet", "mnist"};

// Each in the order of its enum.
constexpr std::array<std::string_view, 3> kInputLayouts{"nhwc", "nchw", "other"};
constexpr std::array<std::string_view, 3> kOutputKinds{"probabilities", "logits", "other"};

template <typename Enum>
Enum parse_word(std::string_view text, const std::array<std::string_view, 3>& words) {
  const auto* found = std::find(words.begin(), words.end(), text);
  if (found == words.end())
    throw InvalidArgument(cat("is '", printable(text), "', an unknown word"));
  return static_cast<Enum>(found - words.begin());
}

template <typename T>
bool is_in_range(const Json& number) {
  if (number.is_number_unsigned()) return std::in_range<T>(number.get<std::uint64_t>());
  return number.is_number_integer() && std::in_range<T>(number.get<std::int64_t>());
}

/// One JSON object of the manifest, with messages that name the key.
class Reader {
 public:
  Reader(const Json& object, std::string_view origin, std::string path)
      : object_(object), origin_(origin), path_(std::move(path)) {
    if (!object.is_object()) fail("", "is not an object");
  }

  /// The value of the key, or `fallback` where it is absent.
  template <typename T>
  [[nodiscard]] T get(const char* key, T fallback) const {
    const auto found = object_.find(key);
    if (found == object_.end()) return fallback;
    bool fits = false;
    if constexpr (std::is_same_v<T, bool>) {
      fits = found->is_boolean();
    } else if constexpr (std::is_same_v<T, std::string>) {
      fits = found->is_string() && is_plain_name(found->template get_ref<const std::string&>());
    } else if constexpr (std::is_same_v<T, double>) {
      fits = found->is_number();
    } else {
      fits = is_in_range<T>(*found);
    }
    if (!fits) fail(key, "has another type or range than expected");
    return found->template get<T>();
  }

  [[nodiscard]] const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  [[nodiscard]] std::string_view origin() const { return origin_; }

  [[noreturn]] void fail(std::string_view key, std::string_view what) const {
    throw Error(
        ErrorCode::kModelCorrupt,
        cat(origin_, ": '", path_, path_.empty() || key.empty() ? "" : ".", key, "' ", what));
  }

  /// parse(text of the key); a word that is not known names the key.
  template <typename Parse>
  [[nodiscard]] auto word(const char* key, const char* fallback, Parse parse) const {
    try {
      return parse(get<std::string>(key, fallback));
    } catch (const InvalidArgument& error) {
      fail(key, error.what());
    }
  }

 private:
  const Json& object_;
  std::string_view origin_;
  std::string path_;
};

PreprocessSpec read_preprocess(const Json& json, std::string_view origin) {
  const Reader reader(json, origin, "preprocess");
  PreprocessSpec spec;
  spec.height = reader.get<int>("height", 0);
  spec.width = reader.get<int>("width", 0);
  spec.shorter_side = reader.get<int>("shorter_side", 0);
  for (const int side : {spec.height, spec.width, spec.shorter_side}) {
    if (side < 0 || side > kLargestSide) {
      reader.fail("", cat("has a size outside 0 to ", kLargestSide));
    }
  }
  if ((spec.height == 0) != (spec.width == 0)) reader.fail("", "has only one of height and width");
  spec.interpolation = reader.word("interpolation", "nearest", parse_interpolation);
  spec.fit = reader.word("fit", "stretch", parse_fit);
  spec.color = reader.word("color", "rgb", parse_color_mode);
  spec.mode = reader.word("mode", "none", parse_normalization);
  return spec;
}

/// The list of texts under the key; empty where it is absent.
std::vector<std::string> read_texts(const Reader& reader, const char* key) {
  std::vector<std::string> texts;
  const Json* list = reader.find(key);
  if (list == nullptr) return texts;
  if (!list->is_array()) reader.fail(key, "is not a list");
  for (const Json& text : *list) {
    if (!text.is_string()) reader.fail(key, "holds something that is no text");
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

WeightFile read_weight_file(const Json& json, std::string_view origin) {
  const Reader reader(json, origin, "weights");
  WeightFile file;
  file.name = reader.get<std::string>("name", "");
  file.format = reader.get<std::string>("format", "");
  file.file = reader.get<std::string>("file", "");
  file.bytes = reader.get<std::uint64_t>("bytes", 0);
  file.md5 = reader.get<std::string>("md5", "");
  file.sha256 = reader.get<std::string>("sha256", "");
  file.urls = read_texts(reader, "urls");
  return file;
}

Json to_json_object(const PreprocessSpec& spec) {
  return {{"height", spec.height},
          {"width", spec.width},
          {"interpolation", to_string(spec.interpolation)},
          {"fit", to_string(spec.fit)},
          {"shorter_side", spec.shorter_side},
          {"color", to_string(spec.color)},
          {"mode", to_string(spec.mode)}};
}

Json to_json_object(const WeightFile& file) {
  return {{"name", file.name},
          {"format", file.format},
          {"file", file.file},
          {"bytes", file.bytes},
          {"md5", file.md5},
          {"sha256", file.sha256},
          {"urls", file.urls}};
}

ImportSource read_source(const Json& json, std::string_view origin) {
  const Reader from(json, origin, "source");
  return {from.get<std::string>("file", ""),
          from.get<std::string>("sha256", ""),
          from.get<std::int64_t>("importer", 0)};
}

std::vector<ManifestOutput> read_outputs(const Json& json, const Reader& parent) {
  if (!json.is_array()) parent.fail("outputs", "is not a list");
  std::vector<ManifestOutput> outputs;
  for (const Json& row : json) {
    const Reader reader(row, parent.origin(), "outputs");
    const auto kind = reader.word("kind", "other", [](std::string_view text) {
      return parse_word<OutputKind>(text, kOutputKinds);
    });
    outputs.push_back({reader.get<std::string>("name", ""), kind});
  }
  return outputs;
}

/// The members that only packages have.
void read_package_members(const Reader& reader, Manifest& manifest) {
  manifest.input = reader.get<std::string>("input", "");
  manifest.input_layout = reader.word("input_layout", "other", [](std::string_view text) {
    return parse_word<InputLayout>(text, kInputLayouts);
  });
  if (const Json* outputs = reader.find("outputs")) {
    manifest.outputs = read_outputs(*outputs, reader);
  }
  if (const Json* files = reader.find("files")) {
    const Reader hashes(*files, reader.origin(), "files");
    for (const auto& [name, hash] : files->items()) {
      manifest.files[name] = hashes.get<std::string>(name.c_str(), "");
    }
  }
}

/// A label file lies in the manifest's folder or below it.
void check_labels(const Reader& reader, const Manifest& manifest) {
  if (!has_label_file(manifest)) return;
  const std::filesystem::path path(manifest.labels);
  const bool leaves = std::ranges::any_of(path, [](const auto& part) { return part == ".."; });
  if (path.is_absolute() || leaves) reader.fail("labels", "leaves the manifest's folder");
}

/// The text's object, with the lists that read_json_rows hands out element by element.
Json read_object(std::string_view text, std::string_view origin) {
  Json object = Json::object();
  std::size_t rows = 0;
  try {
    read_json_rows(
        text,
        [&](const std::string& key, const nlohmann::json& value) { object[key] = value; },
        [&](const std::string& key, const nlohmann::json& row) {
          if (++rows > kMaxRowValues) {
            throw Error(ErrorCode::kModelLimit, cat("it has more than ", kMaxRowValues, " rows"));
          }
          object[key].push_back(Json(row));
        });
  } catch (const Error& error) {
    throw Error(error.code(), cat(origin, ": ", error.what()));
  }
  return object;
}

void write_package_members(const Manifest& manifest, Json& json) {
  if (!manifest.input.empty()) json["input"] = manifest.input;
  if (manifest.input_layout != InputLayout::kOther) {
    json["input_layout"] = kInputLayouts.at(static_cast<std::size_t>(manifest.input_layout));
  }
  for (const ManifestOutput& output : manifest.outputs) {
    json["outputs"].push_back(
        {{"name", output.name}, {"kind", kOutputKinds.at(static_cast<std::size_t>(output.kind))}});
  }
  if (!manifest.files.empty()) json["files"] = manifest.files;
}

}  // namespace

bool has_label_file(const Manifest& manifest) {
  return !manifest.labels.empty() &&
         std::find(kLabelSets.begin(), kLabelSets.end(), manifest.labels) == kLabelSets.end();
}

void name_after(Manifest& manifest, const std::filesystem::path& file) {
  manifest.name = printable(file.stem().native());
  if (manifest.source) manifest.source->file = printable(file.filename().native());
}

Manifest parse_manifest(std::string_view text, std::string_view origin) {
  const Json json = read_object(text, origin);
  const Reader reader(json, origin, "");
  if (const int format = reader.get<int>("format", 0); format != kFormat) {
    throw Error(ErrorCode::kModelUnsupportedFormat,
                cat(origin, " has format ", format, "; this version reads format ", kFormat));
  }
  Manifest manifest;
  manifest.name = reader.get<std::string>("name", "");
  manifest.description = reader.get<std::string>("description", "");
  if (const Json* preprocess = reader.find("preprocess")) {
    manifest.preprocess = read_preprocess(*preprocess, origin);
  }
  manifest.labels = reader.get<std::string>("labels", "");
  manifest.logits = reader.get<bool>("logits", false);
  manifest.random_head = reader.get<double>("random_head", 1.0);
  if (!(manifest.random_head > 0)) reader.fail("random_head", "is not above zero");
  if (const Json* weights = reader.find("weights")) {
    if (!weights->is_array()) reader.fail("weights", "is not a list");
    for (const Json& file : *weights) manifest.weights.push_back(read_weight_file(file, origin));
  }
  if (const Json* source = reader.find("source")) manifest.source = read_source(*source, origin);
  manifest.notes = read_texts(reader, "notes");
  read_package_members(reader, manifest);
  check_labels(reader, manifest);
  return manifest;
}

std::string to_json(const Manifest& manifest) {
  Json json{{"format", kFormat}, {"name", manifest.name}, {"description", manifest.description}};
  if (manifest.preprocess) json["preprocess"] = to_json_object(*manifest.preprocess);
  json["labels"] = manifest.labels;
  json["logits"] = manifest.logits;
  json["random_head"] = manifest.random_head;
  json["weights"] = Json::array();
  for (const WeightFile& file : manifest.weights) json["weights"].push_back(to_json_object(file));
  if (manifest.source) {
    json["source"] = {{"file", manifest.source->file},
                      {"sha256", manifest.source->sha256},
                      {"importer", manifest.source->importer}};
  }
  if (!manifest.notes.empty()) json["notes"] = manifest.notes;
  write_package_members(manifest, json);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace fovea
