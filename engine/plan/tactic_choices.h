// Which tactic to take for which operation: what timing caches and plan files keep.
//
// By name and by signature, never by index: libraries renumber, and another network with the same
// operation profits too.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace fovea {

/// The tactic of one operation.
struct Choice {
  std::string tactic;       ///< stable name
  double microseconds = 0;  ///< of one run, when it was chosen; 0: not measured
  bool full = false;        ///< measured by Tuning::kFull: another measurement would say the same

  bool operator==(const Choice&) const = default;
};

/// By op_signature(). Ordered, so that files are the same every time.
using Choices = std::map<std::string, Choice>;

/// {"<signature>": {"tactic": "onednn:jit:avx2", "microseconds": 12.5}, ...}, one choice a line;
/// "full": true is added where it is.
/// Throws InvalidArgument for text that is not UTF-8.
[[nodiscard]] std::string choices_json(const Choices& choices);

/// Inverse of choices_json. Throws Error (plan/corrupt) for any text that choices_json does not
/// write, for an empty or unprintable name, a time that is negative or no number, and for more than
/// kMaxChoices choices.
[[nodiscard]] Choices parse_choices(std::string_view json);

/// The most choices that a file may have.
inline constexpr std::size_t kMaxChoices = 1'000'000;

}  // namespace fovea
