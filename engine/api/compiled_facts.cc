// {"version": "0.1.0", "backend": "cpu", "fingerprint": "cpu; ...", "convolution": "auto",
//  "precision": "fp32", "disabled_passes": "", "weights_bytes": 100, "shared_xxh3": "",
//  "tensors": [["conv1/kernel", "<xxh3>"], ...],
//  "packed": [["<key>", <offset>, <bytes>], ...]}
#include <nlohmann/json.hpp>

#include "engine/api/json_fields.h"
#include "engine/api/plan_file.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

/// 32 hexadecimal digits.
bool is_xxh3(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string to_json(const CompiledFacts& facts) {
  nlohmann::ordered_json json{{"version", facts.version},
                              {"backend", facts.backend},
                              {"fingerprint", facts.fingerprint},
                              {"convolution", facts.convolution},
                              {"precision", facts.precision},
                              {"disabled_passes", facts.disabled_passes},
                              {"weights_bytes", facts.weights_bytes},
                              {"shared_xxh3", facts.shared_xxh3},
                              {"tensors", nlohmann::json::array()},
                              {"packed", nlohmann::json::array()}};
  for (const auto& [name, xxh3] : facts.tensor_xxh3) json["tensors"].push_back({name, xxh3});
  for (const auto& [key, place] : facts.packed) {
    json["packed"].push_back({key, place.offset, place.bytes});
  }
  return json.dump() + "\n";
}

CompiledFacts parse_compiled_facts(std::string_view json, std::uint64_t packed_bytes) {
  CompiledFacts facts;
  const std::map<std::string_view, std::string*> texts{
      {"version", &facts.version},
      {"backend", &facts.backend},
      {"fingerprint", &facts.fingerprint},
      {"convolution", &facts.convolution},
      {"precision", &facts.precision},
      {"shared_xxh3", &facts.shared_xxh3},
  };
  std::size_t found = 0;
  const auto on_value = [&](const std::string& key, const nlohmann::json& value) {
    if (key == "weights_bytes") {
      facts.weights_bytes = json_fields::number(value);
    } else if (key == "disabled_passes") {
      facts.disabled_passes = json_fields::text(value);
    } else if (const auto text = texts.find(key); text != texts.end()) {
      *text->second = json_fields::text(value);
      ++found;
    }
  };
  const auto on_row = [&](const std::string& key, const nlohmann::json& row) {
    if (key == "tensors") {
      json_fields::check_list(row, 2);
      facts.tensor_xxh3[json_fields::text(row[0])] = json_fields::text(row[1]);
    } else if (key == "packed") {
      json_fields::check_list(row, 3);
      const CompiledFacts::Place place{json_fields::number(row[1]), json_fields::number(row[2])};
      if (place.offset > packed_bytes || place.bytes > packed_bytes - place.offset ||
          place.offset % kPackedAlignment != 0) {
        throw Error(ErrorCode::kPlanCorrupt, "a packed weight lies outside its section");
      }
      facts.packed[json_fields::text(row[0])] = place;
    }
  };
  json_fields::read(json, on_value, on_row);
  // They become names of files.
  if (!facts.shared_xxh3.empty() && !is_xxh3(facts.shared_xxh3)) {
    throw Error(ErrorCode::kPlanCorrupt, "the hash of its weights is none");
  }
  if (found != texts.size()) {
    throw Error(ErrorCode::kPlanCorrupt, "it lacks what a plan has to say of itself");
  }
  return facts;
}

}  // namespace fovea
