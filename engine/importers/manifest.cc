#include "engine/importers/manifest.h"

#include <nlohmann/json.hpp>

#include "engine/core/require.h"

namespace fovea {

namespace {

using Json = nlohmann::ordered_json;
constexpr int kFormat = 1;

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
    const bool fits = std::is_same_v<T, bool>          ? found->is_boolean()
                      : std::is_same_v<T, std::string> ? found->is_string()
                      : std::is_same_v<T, double>      ? found->is_number()
                                                       : found->is_number_integer();
    if (!fits) fail(key, "has another type than expected");
    return found->template get<T>();
  }

  [[nodiscard]] const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

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
    if (side < 0 || side > 16'384) reader.fail("", "has a size outside 0 to 16384");
  }
  if ((spec.height == 0) != (spec.width == 0)) reader.fail("", "has only one of height and width");
  spec.interpolation = reader.word("interpolation", "nearest", parse_interpolation);
  spec.fit = reader.word("fit", "stretch", parse_fit);
  spec.color = reader.word("color", "rgb", parse_color_mode);
  spec.mode = reader.word("mode", "none", parse_normalization);
  return spec;
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
  if (const Json* urls = reader.find("urls")) {
    for (const Json& url : *urls) {
      if (!url.is_string()) reader.fail("urls", "holds something that is no text");
      file.urls.push_back(url.get<std::string>());
    }
  }
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

}  // namespace

Manifest parse_manifest(std::string_view text, std::string_view origin) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    throw Error(ErrorCode::kModelCorrupt, cat(origin, " is not valid JSON"));
  }
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
  if (const Json* source = reader.find("source")) {
    const Reader from(*source, origin, "source");
    manifest.source = {from.get<std::string>("file", ""), from.get<std::string>("sha256", "")};
  }
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
    json["source"] = {{"file", manifest.source->file}, {"sha256", manifest.source->sha256}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace fovea
