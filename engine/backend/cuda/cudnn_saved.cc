// Two entries for a step of cuDNN's, or more, and one for a convolution that another kernel
// computes:
//   "engine of <convolution>|<engine>"   "<rank> <bytes of workspace>"
//   "plan of <convolution>|<engine>"     JSON of cuDNN's
//   "slice of <convolution>|<engine>"    "1" where the engine writes the slice, else "0"
//   "none of <convolution>"              why cuDNN refuses it, or nothing
#include "engine/backend/cuda/cudnn_saved.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

constexpr std::string_view kEngine = "engine of ";
constexpr std::string_view kPlan = "plan of ";
constexpr std::string_view kSlice = "slice of ";
constexpr std::string_view kNone = "none of ";
constexpr char kBetween = '|';  // which no convolution and no engine has

std::string key(std::string_view kind, const CudnnConvolution& conv, const CudnnEngine& engine) {
  return cat(kind, to_string(conv), kBetween, to_string(engine));
}

/// Two numbers with a space between, and nothing else.
std::optional<std::pair<std::size_t, std::size_t>> parse_two(std::string_view text) {
  std::pair<std::size_t, std::size_t> numbers;
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto is_number = [](std::string_view digits, std::size_t& number) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc{} && end == digits.data() + digits.size();
  };
  const bool are_numbers = is_number(text.substr(0, space), numbers.first) &&
                           is_number(text.substr(space + 1), numbers.second);
  return are_numbers ? std::optional(numbers) : std::nullopt;
}

std::optional<SavedEngine> parse_saved(std::string_view engine, std::string_view value) {
  const auto index = parse_engine(engine);
  const auto numbers = parse_two(value);
  if (!index || !numbers || numbers->second > kMostWorkspaceBytes) return std::nullopt;
  return SavedEngine{{.engine = *index, .workspace_bytes = numbers->second}, numbers->first};
}

}  // namespace

void save(const CudnnKept& kept, SavedState& state) {
  const CudnnCandidate& candidate = kept.engine.candidate;
  state[key(kEngine, kept.asked, candidate.engine)] =
      cat(kept.engine.rank, ' ', candidate.workspace_bytes);
  if (kept.slice) {
    state[key(kSlice, kept.slice->first, candidate.engine)] = kept.slice->second ? "1" : "0";
  }
  for (const auto& [convolution, plan] : kept.plans) {
    try {
      state[key(kPlan, convolution, candidate.engine)] = plan->json();
    } catch (const CudnnError&) {
      continue;  // it is built from its engine then
    }
  }
}

void save_passed_over(const CudnnConvolution& convolution,
                      const std::string& refusal,
                      SavedState& state) {
  state[cat(kNone, to_string(convolution))] = printable(refusal, refusal.size());
}

SavedPlans::SavedPlans(const SavedState& state) {
  for (const auto& [name, value] : state) {
    const std::string_view key = name;
    if (key.starts_with(kPlan)) {
      plans_.emplace_hint(plans_.end(), name, value);
      continue;
    }
    if (key.starts_with(kSlice) && (value == "0" || value == "1")) {
      slices_.emplace_hint(slices_.end(), name, value == "1");
      continue;
    }
    if (key.starts_with(kNone)) {
      // From a file, and for people.
      passed_over_[std::string(key.substr(kNone.size()))] = printable(value, value.size());
      continue;
    }
    const std::size_t between = std::min(key.find(kBetween), key.size());
    std::optional<SavedEngine> engine;
    if (key.starts_with(kEngine) && between != key.size()) {
      engine = parse_saved(key.substr(between + 1), value);
    }
    if (engine) {
      const std::string_view convolution = key.substr(kEngine.size(), between - kEngine.size());
      engines_[std::string(convolution)].push_back(*std::move(engine));
    } else {
      ++unknown_;
    }
  }
}

std::span<const SavedEngine> SavedPlans::engines(const CudnnConvolution& convolution) const {
  const auto found = engines_.find(to_string(convolution));
  if (found == engines_.end()) return {};
  return found->second;
}

const std::string* SavedPlans::passed_over(const CudnnConvolution& convolution) const {
  if (passed_over_.empty()) return nullptr;
  const auto found = passed_over_.find(to_string(convolution));
  return found == passed_over_.end() ? nullptr : &found->second;
}

std::optional<bool> SavedPlans::writes_slice(const CudnnConvolution& convolution,
                                             const CudnnEngine& engine) const {
  const auto found = slices_.find(key(kSlice, convolution, engine));
  return found == slices_.end() ? std::nullopt : std::optional(found->second);
}

const std::string* SavedPlans::plan(const CudnnConvolution& convolution,
                                    const CudnnEngine& engine) const {
  const auto found = plans_.find(key(kPlan, convolution, engine));
  return found == plans_.end() ? nullptr : &found->second;
}

}  // namespace fovea::cuda
