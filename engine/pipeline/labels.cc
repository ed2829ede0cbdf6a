#include "engine/pipeline/labels.h"

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "engine/core/require.h"

namespace fovea {

namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(std::string_view source, std::string_view what) {
  throw InvalidArgument(cat("labels ", source, ": ", what));
}

Label label_of(const Json& entry, std::string_view source) {
  if (entry.is_string()) return {{}, entry.get<std::string>()};
  const bool pair =
      entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string();
  if (!pair) refuse(source, "an entry is neither a name nor [id, name]");
  return {entry[0].get<std::string>(), entry[1].get<std::string>()};
}

std::vector<Label> from_json(const Json& json, std::string_view source) {
  std::vector<Label> labels;
  if (json.is_array()) {
    for (const Json& entry : json) labels.push_back(label_of(entry, source));
    return labels;
  }
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto entry = json.find(std::to_string(i));
    if (entry == json.end()) refuse(source, cat("has ", json.size(), " keys, but no \"", i, '"'));
    labels.push_back(label_of(*entry, source));
  }
  return labels;
}

/// "n" and eight digits.
bool is_wordnet_id(std::string_view word) {
  return word.size() == 9 && word[0] == 'n' &&
         std::all_of(word.begin() + 1, word.end(), [](char c) {
           return std::isdigit(static_cast<unsigned char>(c)) != 0;
         });
}

std::vector<Label> from_lines(std::string_view text) {
  std::vector<Label> labels;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    const std::size_t space = line.find(' ');
    if (space != std::string_view::npos && is_wordnet_id(line.substr(0, space))) {
      labels.push_back({std::string(line.substr(0, space)), std::string(line.substr(space + 1))});
    } else {
      labels.push_back({{}, std::string(line)});
    }
  }
  return labels;
}

}  // namespace

std::vector<Label> parse_labels(std::string_view text, std::string_view source) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  std::vector<Label> labels;
  if (start != std::string_view::npos && (text[start] == '[' || text[start] == '{')) {
    const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded()) refuse(source, "is not valid JSON");
    labels = from_json(json, source);
  } else {
    labels = from_lines(text);
  }
  if (labels.empty()) refuse(source, "holds no label");
  return labels;
}

}  // namespace fovea
