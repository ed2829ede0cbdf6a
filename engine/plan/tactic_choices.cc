#include "engine/plan/tactic_choices.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "engine/core/json_rows.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

using nlohmann::json;

[[noreturn]] void corrupt(const std::string& signature, std::string_view what) {
  throw Error(ErrorCode::kPlanCorrupt, cat("the choice for '", printable(signature), "' ", what));
}

Choice parse_choice(const std::string& signature, const json& value) {
  if (signature.empty()) corrupt(signature, "has no signature");
  const bool full = value.is_object() && value.contains("full");
  if (!value.is_object() || value.size() != (full ? 3 : 2) || !value.contains("tactic") ||
      !value.contains("microseconds")) {
    corrupt(signature, "is not an object of tactic and microseconds");
  }
  if (full && value["full"] != json(true)) corrupt(signature, "has a 'full' that is not true");
  const auto* tactic = value["tactic"].get_ptr<const std::string*>();
  const json& time = value["microseconds"];
  if (tactic == nullptr || tactic->empty() || !is_plain_name(*tactic)) {
    corrupt(signature, "names no tactic");
  }
  if (!time.is_number() || !std::isfinite(time.get<double>()) || time.get<double>() < 0) {
    corrupt(signature, "has a time that is no number of microseconds");
  }
  return {*tactic, time.get<double>(), full};
}

}  // namespace

std::string choices_json(const Choices& choices) {
  std::string text = "{";
  try {
    for (const auto& [signature, choice] : choices) {
      text += cat(text.size() > 1 ? ",\n" : "\n",
                  json(signature).dump(),
                  R"(: {"tactic": )",
                  json(choice.tactic).dump(),
                  R"(, "microseconds": )",
                  json(choice.microseconds).dump(),
                  choice.full ? R"(, "full": true})" : "}");
    }
  } catch (const json::exception& error) {
    throw InvalidArgument(cat("the choices cannot be written as JSON: ", error.what()));
  }
  return text + "\n}\n";
}

Choices parse_choices(std::string_view text) {
  Choices choices;
  const auto take = [&](const std::string& key, const json& value) {
    if (choices.size() == kMaxChoices) corrupt(key, "is one too many");
    choices.emplace(key, parse_choice(key, value));
  };
  const auto refuse = [](const std::string& key, const json& /*row*/) {
    corrupt(key, "is not an object of tactic and microseconds");
  };
  try {
    read_json_rows(text, take, refuse);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kPlanCorrupt) throw;
    throw Error(ErrorCode::kPlanCorrupt, cat("the choices of tactics: ", error.what()));
  }
  if (choices_json(choices) != text) {
    throw Error(ErrorCode::kPlanCorrupt, "the choices of tactics are not as they are written");
  }
  return choices;
}

}  // namespace fovea
