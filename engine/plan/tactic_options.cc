#include "engine/plan/tactic_options.h"

#include <array>
#include <charconv>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

using nlohmann::json;

/// By Tuning.
constexpr std::array<std::string_view, 3> kTunings{"off", "fast", "full"};

/// Stands for kEveryBatch beside batch sizes.
constexpr std::string_view kOthers = "*";

/// A whole positive number, kEveryBatch, or -1.
std::int64_t parse_batch(std::string_view text) {
  if (text == kOthers) return kEveryBatch;
  std::int64_t batch = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), batch);
  return error == std::errc() && end == text.data() + text.size() && batch > 0 ? batch : -1;
}

bool is_tactic(const json& value) {
  const auto* name = value.get_ptr<const std::string*>();
  return name != nullptr && !name->empty() && is_plain_name(*name);
}

std::map<std::int64_t, std::string> parse_node(const json& value) {
  if (is_tactic(value)) return {{kEveryBatch, value.get<std::string>()}};
  std::map<std::int64_t, std::string> tactics;
  if (!value.is_object()) return tactics;
  for (const auto& [key, tactic] : value.items()) {
    const std::int64_t batch = parse_batch(key);
    if (batch < 0 || !is_tactic(tactic)) return {};
    tactics.emplace(batch, tactic.get<std::string>());
  }
  return tactics;
}

}  // namespace

std::string_view to_string(Tuning tuning) {
  return kTunings.at(static_cast<std::size_t>(tuning));
}

Tuning parse_tuning(std::string_view word) {
  for (std::size_t i = 0; i < kTunings.size(); ++i) {
    if (kTunings.at(i) == word) return static_cast<Tuning>(i);
  }
  throw InvalidArgument(cat("tuning is off, fast or full, not '", printable(word), "'"));
}

double default_tuning_seconds(Tuning tuning) {
  switch (tuning) {
    case Tuning::kFast:
      return 13;  // and the whole compilation of ResNet50 takes 15
    case Tuning::kFull:
      return 600;
    case Tuning::kOff:
      break;
  }
  return 0;
}

std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%g", seconds);
  return text.data();
}

ForcedTactics parse_forced_tactics(std::string_view text) {
  ForcedTactics forced;
  while (!text.empty()) {
    const std::string_view entry = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), entry.size() + 1));
    const std::size_t equals = entry.rfind('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == entry.size()) {
      throw InvalidArgument(
          cat("forced tactics are node=tactic,node=tactic; '", printable(entry), "' is not one"));
    }
    const std::string node(entry.substr(0, equals));
    if (!forced.emplace(node, entry.substr(equals + 1)).second) {
      throw InvalidArgument(cat("node '", printable(node), "' has two forced tactics"));
    }
  }
  return forced;
}

LockedTactics parse_locked_tactics(std::string_view text, std::string_view file) {
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object() || !root.contains("tactics") || !root["tactics"].is_object()) {
    throw InvalidArgument(
        cat(file, R"( is no list of locked tactics: that is {"tactics": {"node": "tactic"}})"));
  }
  for (const auto& [key, value] : root.items()) {
    if (key == "tactics") continue;
    throw InvalidArgument(
        cat(file, " has a key '", printable(key), "' beside \"tactics\", which means nothing"));
  }
  LockedTactics locked;
  for (const auto& [node, value] : root["tactics"].items()) {
    auto tactics = parse_node(value);
    if (tactics.empty()) {
      throw InvalidArgument(cat(file,
                                ": node '",
                                printable(node),
                                R"(' needs a tactic's name, or one for each batch size: )",
                                R"({"1": "tactic", "8": "tactic"})"));
    }
    locked.emplace(node, std::move(tactics));
  }
  return locked;
}

std::string locked_tactics_json(const LockedTactics& locked) {
  json nodes = json::object();
  for (const auto& [node, tactics] : locked) {
    for (const auto& [batch, tactic] : tactics) {
      if (tactics.size() == 1 && batch == kEveryBatch) {
        nodes[node] = tactic;
      } else {
        nodes[node][batch == kEveryBatch ? std::string(kOthers) : std::to_string(batch)] = tactic;
      }
    }
  }
  return json{{"tactics", nodes}}.dump(2) + "\n";
}

LockedTactics all_locks(const TacticOptions& options) {
  LockedTactics locks = options.planned_locks;
  for (const auto& [node, tactics] : options.locked) {
    auto& of_node = locks[node];
    if (tactics.contains(kEveryBatch)) of_node.clear();
    for (const auto& [batch, tactic] : tactics) of_node.insert_or_assign(batch, tactic);
  }
  for (const auto& [node, tactic] : options.forced) locks[node] = {{kEveryBatch, tactic}};
  return locks;
}

}  // namespace fovea
