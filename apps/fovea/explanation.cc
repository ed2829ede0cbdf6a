#include "apps/fovea/explanation.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

/// Nodes that a pass treated alike.
struct Group {
  const RewriteDecision* first = nullptr;
  std::vector<std::string> others;  ///< nodes, in order
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

/// Whether it is about places in memory and no pass of its own.
bool is_place(const RewriteDecision& decision) {
  return decision.pass == "place" || decision.pass == "in-place";
}

std::vector<Group> groups_of(const std::vector<RewriteDecision>& rewrites, bool places) {
  std::vector<Group> groups;
  std::map<std::tuple<std::string, bool, std::string>, std::size_t> index;
  for (const RewriteDecision& decision : rewrites) {
    if (is_place(decision) != places) continue;
    const auto [entry, is_new] = index.try_emplace(
        {decision.pass, decision.taken, without_names(decision.reason)}, groups.size());
    if (is_new) {
      groups.push_back({&decision, {}});
    } else {
      groups[entry->second].others.push_back(decision.node);
    }
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

std::string table(const std::string& title, const std::vector<Group>& groups) {
  constexpr std::size_t kPass = 24;
  constexpr std::size_t kTaken = 5;
  constexpr std::size_t kIndent = kPass + kTaken;
  if (groups.empty()) return {};
  std::string text = padded(title, kPass) + padded("taken", kTaken + 1) + "node: reason\n";
  for (const Group& group : groups) {
    // What is said of the whole network has no node.
    std::string row = group.first->node.empty() ? "" : one_line(group.first->node) + ": ";
    row += one_line(group.first->reason) + likewise(group.others);
    text += padded(group.first->pass, kPass) + padded(group.first->taken ? "yes" : "no", kTaken) +
            wrap(row, kIndent, kIndent) + "\n";
  }
  return text;
}

std::string rewrites_text(const std::vector<RewriteDecision>& rewrites) {
  const std::string places = table("Place in memory", groups_of(rewrites, true));
  return table("Pass", groups_of(rewrites, false)) + (places.empty() ? "" : "\n" + places);
}

/// What the word in brackets behind a tactic means.
struct Source {
  std::string_view word;
  std::string_view meaning;
};

constexpr std::array kSources{
    Source{"forced", "as FOVEA_TACTIC says"},
    Source{"locked", "as --lock says, or did when the plan was compiled"},
    Source{"plan", "as when the plan was compiled"},
    Source{"cache", "the fastest when it was measured here before; times are kept"},
    Source{"measured", "the fastest now; the heuristic's stays where none saves 2 %"},
    Source{"heuristic",
           "not measured: what is expected to take the least time, or where nothing is expected "
           "to convert and copy the fewest bytes; of those the backend's first"},
    Source{"only", "the backend offers no other"},
};

/// "NAME TIME", "NAME refused: WHY" or "NAME".
std::string offered_text(const OfferedTactic& offered) {
  std::string text = offered.tactic;
  if (offered.microseconds > 0) text += microseconds(offered.microseconds);
  if (!offered.refused.empty()) text += " refused: " + one_line(offered.refused);
  return text;
}

std::string source_of(const ChosenTactic& chosen) {
  const bool choosable = chosen.source == "forced" || chosen.source == "locked";
  return chosen.offered.size() < 2 && !choosable ? "only" : chosen.source;
}

/// The taken one first, then the others: measured ones by their time, refused ones, the rest.
std::string tactic_text(const ChosenTactic& chosen) {
  std::string taken = chosen.tactic;
  bool was_measured = false;  // by an earlier compilation
  std::vector<const OfferedTactic*> others;
  for (const OfferedTactic& offered : chosen.offered) {
    if (offered.tactic == chosen.tactic) {
      taken = offered_text(offered);
      was_measured = offered.microseconds > 0 && chosen.source != "measured";
    } else {
      others.push_back(&offered);
    }
  }
  std::ranges::stable_sort(others, {}, [](const OfferedTactic* offered) {
    const bool timed = offered->microseconds > 0;
    return std::tuple(!timed, !timed && offered->refused.empty(), offered->microseconds);
  });
  std::string text = one_line(chosen.node) + ": " + taken + " (" + source_of(chosen) + ")";
  bool unmeasured = false;
  for (const OfferedTactic* offered : others) {
    const bool is_rest = offered->microseconds == 0 && offered->refused.empty();
    text += is_rest && unmeasured ? ", " : "; ";
    // Of what was measured before, the fastest one's time is all that is kept.
    if (is_rest && !unmeasured) text += was_measured ? "slower: " : "not measured: ";
    unmeasured = is_rest;
    text += offered_text(*offered);
  }
  if (!chosen.refusal.empty()) text += "; " + one_line(chosen.refusal);
  return text;
}

std::string tactics_text(const std::vector<ChosenTactic>& tactics) {
  constexpr std::size_t kWord = 13;
  std::string text;
  const ChosenTactic* before = nullptr;
  std::set<std::string, std::less<>> sources;
  for (const ChosenTactic& chosen : tactics) {
    if (before == nullptr || chosen.batch != before->batch || chosen.threads != before->threads) {
      text += "\nTactics, batch " + std::to_string(chosen.batch) + ", " +
              std::to_string(chosen.threads) + (chosen.threads == 1 ? " thread\n" : " threads\n");
    }
    before = &chosen;
    sources.insert(source_of(chosen));
    text += wrap(tactic_text(chosen), 4) + "\n";
  }
  if (!sources.empty()) text += "\nWhat decided\n";
  for (const Source& source : kSources) {
    if (!sources.contains(source.word)) continue;
    text +=
        padded("  " + std::string(source.word), kWord) + wrap(source.meaning, kWord, kWord) + "\n";
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
      using Json = nlohmann::ordered_json;
      offered.push_back(
          {{"tactic", tactic.tactic},
           {"microseconds", tactic.microseconds > 0 ? Json(tactic.microseconds) : Json(nullptr)},
           {"refused", tactic.refused}});
    }
    tactics.push_back({{"node", chosen.node},
                       {"batch", chosen.batch},
                       {"threads", chosen.threads},
                       {"tactic", chosen.tactic},
                       {"source", source_of(chosen)},
                       {"offered", std::move(offered)}});
    if (!chosen.refusal.empty()) tactics.back()["refusal"] = chosen.refusal;
  }
  return {{"rewrites", std::move(rewrites)}, {"tactics", std::move(tactics)}};
}

}  // namespace fovea::app
