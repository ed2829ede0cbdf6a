// The attributes of operators as JSON, for graph.json and manifest.json.
//
// Numbers round-trip exactly; what JSON has no number for is a word: "inf", "-inf", "nan".
// Enumerations and element types are words, descriptions are {"dtype": "f32", "shape": [-1, 10]}
// with -1 for the symbolic batch, structs are objects.
#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include <fovea/preprocess.h>

#include "engine/graph/op.h"

namespace fovea {

/// Every attribute, in the order in which the operator visits them.
[[nodiscard]] nlohmann::ordered_json attributes_json(const Op& op);

/// The operator of that name with those attributes; each has to be there, and no other.
/// Throws Error: model/unsupported-op for an unknown operator; model/corrupt, naming the attribute,
/// for a missing or unknown one or a value of the wrong type; model/limit for more dimensions than
/// kMaxRank.
[[nodiscard]] Op parse_op(std::string_view name, const nlohmann::json& attributes);

/// A preprocessing contract, as it stands in manifest.json.
[[nodiscard]] nlohmann::ordered_json preprocess_json(const PreprocessSpec& spec);

/// Inverse of preprocess_json, with the errors of parse_op.
[[nodiscard]] PreprocessSpec parse_preprocess(const nlohmann::json& value);

}  // namespace fovea
