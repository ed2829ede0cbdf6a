// Where the compiler may take its tactics from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "engine/plan/tactic_choices.h"

namespace fovea {

/// Whether tactics are measured, and how thoroughly.
enum class Tuning : std::uint8_t {
  kOff,  ///< not at all, and no measurement of before is used: results depend on no machine's state
  kFast,  ///< few rounds
  kFull,  ///< many rounds: smaller differences count
};

/// "off", "fast" or "full".
[[nodiscard]] std::string_view to_string(Tuning tuning);

/// Inverse of to_string. Throws InvalidArgument for another word.
[[nodiscard]] Tuning parse_tuning(std::string_view word);

/// Seconds that a whole compilation may measure where nobody says how many.
[[nodiscard]] double default_tuning_seconds(Tuning tuning);

/// The number as people write it: "13", "0.5".
[[nodiscard]] std::string seconds_text(double seconds);

/// By the node's name.
using ForcedTactics = std::map<std::string, std::string>;

/// Reads "node=tactic,node=tactic"; a node's name may contain '='. Throws InvalidArgument.
[[nodiscard]] ForcedTactics parse_forced_tactics(std::string_view text);

/// By the node's name and the batch size; batch kEveryBatch stands for those that are not named.
using LockedTactics = std::map<std::string, std::map<std::int64_t, std::string>>;
inline constexpr std::int64_t kEveryBatch = 0;

/// Reads {"tactics": {"conv1": "onednn:jit:avx2", "conv2": {"1": "...", "8": "...", "*": "..."}}},
/// where * stands for all other batch sizes; `file` names the text in messages. Throws
/// InvalidArgument for any other form.
[[nodiscard]] LockedTactics parse_locked_tactics(std::string_view json, std::string_view file);

/// Inverse of parse_locked_tactics.
[[nodiscard]] std::string locked_tactics_json(const LockedTactics& locked);

/// In the order in which they are asked. Names of nodes are those of the optimised graph.
struct TacticOptions {
  ForcedTactics forced{};  ///< every node must exist and offer the tactic
  LockedTactics locked{};  ///< likewise; batch sizes that are not compiled are ignored

  /// Of a plan file. Nodes that there are not, as in a network that is compiled without its head,
  /// are ignored; what is no longer offered is left aside and told.
  LockedTactics planned_locks{};

  Choices choices{};  ///< of a plan file; what is no longer offered is left aside and told
  Tuning tuning = Tuning::kOff;
  double tuning_seconds = 0;              ///< for the whole compilation; 0: the default
  std::filesystem::path timing_folder{};  ///< of the timing cache; empty: none
};

/// What is said of single nodes, forced or locked, as one list that decides the same: what a plan
/// file keeps.
[[nodiscard]] LockedTactics all_locks(const TacticOptions& options);

}  // namespace fovea
