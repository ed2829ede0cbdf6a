#include "apps/fovea/explanation.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <tuple>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

/// Nodes that a pass treated alike.
struct Group {
  const RewriteDecision* first = nullptr;
  std::size_t nodes = 0;
};

/// The reason without the names in it, which stand in quotes: those differ from node to node.
std::string without_names(const std::string& reason) {
  std::string text;
  bool quoted = false;
  for (const char character : reason) {
    if (character == '\'') quoted = !quoted;
    if (!quoted) text += character;
  }
  return text;
}

std::vector<Group> groups_of(const std::vector<RewriteDecision>& rewrites) {
  std::vector<Group> groups;
  std::map<std::tuple<std::string, bool, std::string>, std::size_t> index;
  for (const RewriteDecision& decision : rewrites) {
    const auto [entry, is_new] = index.try_emplace(
        {decision.pass, decision.taken, without_names(decision.reason)}, groups.size());
    if (is_new) groups.push_back({&decision, 0});
    ++groups[entry->second].nodes;
  }
  return groups;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

std::string microseconds(double value) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), " %.1f us", value);
  return text.data();
}

std::string rewrites_text(const std::vector<RewriteDecision>& rewrites) {
  constexpr std::size_t kPass = 24;
  constexpr std::size_t kTaken = 5;
  constexpr std::size_t kIndent = kPass + kTaken;
  std::string text = padded("Rewrite", kPass) + padded("taken", kTaken + 1) + "node: reason\n";
  for (const Group& group : groups_of(rewrites)) {
    std::string row = one_line(group.first->node) + ": " + one_line(group.first->reason);
    if (group.nodes > 1) row += " (and " + std::to_string(group.nodes - 1) + " more like it)";
    text += padded(group.first->pass, kPass) + padded(group.first->taken ? "yes" : "no", kTaken) +
            wrap(row, kIndent, kIndent) + "\n";
  }
  return text;
}

std::string tactics_text(const std::vector<ChosenTactic>& tactics) {
  std::string text;
  std::int64_t batch = 0;
  for (const ChosenTactic& chosen : tactics) {
    if (chosen.batch != batch) {
      batch = chosen.batch;
      text += "\nTactics, batch " + std::to_string(batch) + "\n";
    }
    std::string row = one_line(chosen.node) + ": " + chosen.tactic + " (" + chosen.source + ")";
    for (const OfferedTactic& offered : chosen.offered) {
      const bool is_chosen = offered.tactic == chosen.tactic;
      if (is_chosen && offered.microseconds == 0) continue;
      row += is_chosen ? "; it takes" : "; " + offered.tactic;
      if (offered.microseconds > 0) row += microseconds(offered.microseconds);
      if (!offered.refused.empty()) row += " refused: " + one_line(offered.refused);
    }
    text += wrap(row, 4) + "\n";
  }
  return text;
}

}  // namespace

std::string explanation_text(const Explanation& explanation) {
  return rewrites_text(explanation.rewrites) + tactics_text(explanation.tactics);
}

nlohmann::ordered_json explanation_json(const Explanation& explanation) {
  auto rewrites = nlohmann::ordered_json::array();
  for (const RewriteDecision& decision : explanation.rewrites) {
    rewrites.push_back({{"pass", decision.pass},
                        {"node", decision.node},
                        {"taken", decision.taken},
                        {"reason", decision.reason}});
  }
  auto tactics = nlohmann::ordered_json::array();
  for (const ChosenTactic& chosen : explanation.tactics) {
    auto offered = nlohmann::ordered_json::array();
    for (const OfferedTactic& tactic : chosen.offered) {
      offered.push_back({{"tactic", tactic.tactic},
                         {"microseconds", tactic.microseconds},
                         {"refused", tactic.refused}});
    }
    tactics.push_back({{"node", chosen.node},
                       {"batch", chosen.batch},
                       {"tactic", chosen.tactic},
                       {"source", chosen.source},
                       {"offered", std::move(offered)}});
  }
  return {{"rewrites", std::move(rewrites)}, {"tactics", std::move(tactics)}};
}

}  // namespace fovea::app
