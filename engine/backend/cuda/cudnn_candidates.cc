#include "engine/backend/cuda/cudnn_candidates.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

/// A mode of the heuristics and how many of its engines are taken.
struct Mode {
  cudnnBackendHeurMode_t mode;
  const char* name;
  std::size_t most;
  bool is_fallback;
};

constexpr std::array kModes{Mode{CUDNN_HEUR_MODE_A, "heuristics A", 8, false},
                            Mode{CUDNN_HEUR_MODE_B, "heuristics B", 4, false},
                            Mode{CUDNN_HEUR_MODE_FALLBACK, "fallback heuristics", 2, true}};

/// Most results of one mode that are looked at.
constexpr std::size_t kMostResults = 64;

std::vector<Descriptor> make_empty(const CudnnLibrary& library,
                                   cudnnBackendDescriptorType_t type,
                                   std::size_t count) {
  std::vector<Descriptor> descriptors;
  descriptors.reserve(count);
  for (std::size_t i = 0; i < count; ++i) descriptors.emplace_back(library, type);
  return descriptors;
}

/// Fills descriptors that were made for it and drops those that were not needed.
void get_all(const Descriptor& from,
             cudnnBackendAttributeName_t name,
             std::vector<Descriptor>& values) {
  std::vector<cudnnBackendDescriptor_t> handles;
  handles.reserve(values.size());
  for (const Descriptor& value : values) handles.push_back(value.get());
  const std::int64_t count = from.get(name, std::span(handles));
  const auto keep = std::clamp(count, std::int64_t{0}, static_cast<std::int64_t>(values.size()));
  values.erase(values.begin() + keep, values.end());
}

template <typename Note, std::size_t Count>
std::vector<Note> notes(const Descriptor& engine, cudnnBackendAttributeName_t name) {
  std::vector<Note> values(Count);
  const std::int64_t count = engine.get(name, std::span(values));
  values.resize(std::min(Count, static_cast<std::size_t>(std::max(count, std::int64_t{0}))));
  return values;
}

/// A candidate and the rule that it breaks; empty: none.
struct Judged {
  CudnnCandidate candidate;
  std::string refusal;
};

std::string numerical_refusal(const Descriptor& engine, const CudnnRules& rules) {
  for (const auto note : notes<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT>(
           engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE)) {
    switch (note) {
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
        return "not deterministic";
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
      case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
        if (rules.strict_fp32) return "multiplies float32 in fewer bits";
        break;
      case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
        return "sums in less than float32";
      case CUDNN_NUMERICAL_NOTE_FFT:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13:
        if (rules.exact) return "sums other products than the convolution's own";
        break;
      default:
        break;
    }
  }
  return {};
}

std::string behaviour_refusal(const Descriptor& engine,
                              const CudnnRules& rules,
                              bool& compiles_kernels) {
  for (const auto note : notes<cudnnBackendBehaviorNote_t, CUDNN_BEHAVIOR_NOTE_TYPE_COUNT>(
           engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE)) {
    switch (note) {
      case CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION:
        compiles_kernels = true;
        if (!rules.may_compile) return "compiles its kernel, and NVRTC cannot be loaded";
        break;
      case CUDNN_BEHAVIOR_NOTE_REQUIRES_FILTER_INT8x32_REORDER:
      case CUDNN_BEHAVIOR_NOTE_REQUIRES_BIAS_INT8x32_REORDER:
        return "wants weights in an order of its own";
      default:
        break;
    }
  }
  return {};
}

std::vector<CudnnKnob> knobs_of(const CudnnLibrary& library, const Descriptor& config) {
  std::vector<Descriptor> choices =
      make_empty(library, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_KNOB_TYPE_COUNTS);
  get_all(config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, choices);
  std::vector<CudnnKnob> knobs;
  knobs.reserve(choices.size());
  for (const Descriptor& choice : choices) {
    knobs.push_back({choice.get<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE),
                     choice.get<std::int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE)});
  }
  std::sort(knobs.begin(), knobs.end());
  return knobs;
}

Judged judge(const CudnnLibrary& library, const Descriptor& config, const CudnnRules& rules) {
  std::vector<Descriptor> engine = make_empty(library, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
  get_all(config, CUDNN_ATTR_ENGINECFG_ENGINE, engine);
  require(!engine.empty(), "cuDNN's configurations have an engine");
  Judged judged;
  CudnnCandidate& candidate = judged.candidate;
  candidate.engine = {engine[0].get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX),
                      knobs_of(library, config)};
  judged.refusal = numerical_refusal(engine[0], rules);
  if (judged.refusal.empty()) {
    judged.refusal = behaviour_refusal(engine[0], rules, candidate.compiles_kernels);
  }
  if (!judged.refusal.empty()) return judged;
  const auto bytes = config.get<std::int64_t>(CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE);
  candidate.workspace_bytes = static_cast<std::size_t>(std::max(bytes, std::int64_t{0}));
  if (candidate.workspace_bytes > rules.most_workspace_bytes) {
    judged.refusal = cat("needs ",
                         candidate.workspace_bytes,
                         " bytes of workspace, more than ",
                         rules.most_workspace_bytes);
  }
  return judged;
}

std::vector<Descriptor> ask(const CudnnLibrary& library,
                            const CudnnGraph& graph,
                            const CudnnTarget& target,
                            cudnnBackendHeurMode_t mode) {
  Descriptor heuristics(library, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.descriptor)
      .set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  if (target.properties != nullptr) {
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *target.properties);
  }
  heuristics.finalize("asking the heuristics");
  std::vector<Descriptor> results =
      make_empty(library, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, kMostResults);
  get_all(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, results);
  return results;
}

/// Takes the first `most` results that break no rule; of those that are known already none twice.
void take(const CudnnLibrary& library,
          const std::vector<Descriptor>& results,
          const CudnnRules& rules,
          std::size_t most,
          std::set<CudnnEngine>& known,
          std::vector<CudnnCandidate>& taken,
          std::vector<std::string>& refusals) {
  for (const Descriptor& config : results) {
    if (most == 0) return;
    Judged judged = judge(library, config, rules);
    const CudnnEngine& engine = judged.candidate.engine;
    const bool is_new = known.insert(engine).second;
    const bool is_refused = !judged.refusal.empty();
    if (!is_refused) --most;
    if (!is_new) continue;
    if (is_refused) {
      refusals.push_back(cat(to_string(engine), ": ", judged.refusal));
    } else {
      taken.push_back(std::move(judged.candidate));
    }
  }
}

}  // namespace

std::string to_string(const CudnnEngine& engine) {
  std::string text = cat("eng", engine.index);
  for (const CudnnKnob& knob : engine.knobs) text.append(cat(":k", knob.type, '.', knob.value));
  return text;
}

std::optional<CudnnEngine> parse_engine(std::string_view text) {
  std::string_view rest = text;
  const auto take = [&rest](std::string_view before, auto& number) {
    if (!rest.starts_with(before)) return false;
    rest.remove_prefix(before.size());
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc{}) return false;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    return true;
  };
  CudnnEngine engine;
  if (!take("eng", engine.index)) return std::nullopt;
  while (!rest.empty()) {
    CudnnKnob& knob = engine.knobs.emplace_back();
    if (!take(":k", knob.type) || !take(".", knob.value)) return std::nullopt;
  }
  if (to_string(engine) != text) return std::nullopt;
  return engine;
}

CudnnCandidates find_candidates(const CudnnLibrary& library,
                                const CudnnGraph& graph,
                                const CudnnTarget& target,
                                const CudnnRules& rules) {
  CudnnCandidates found;
  std::set<CudnnEngine> known;
  for (const Mode& mode : kModes) {
    std::vector<Descriptor> results;
    try {
      results = ask(library, graph, target, mode.mode);
    } catch (const CudnnError& error) {
      if (error.code() == ErrorCode::kDeviceOutOfMemory) throw;
      found.refusals.push_back(cat(mode.name, ": ", error.what()));
      continue;
    }
    std::vector<CudnnCandidate>& taken = mode.is_fallback ? found.fallback : found.best;
    take(library, results, rules, mode.most, known, taken, found.refusals);
  }
  return found;
}

CudnnConfig make_config(const CudnnLibrary& library,
                        const CudnnGraph& graph,
                        const CudnnEngine& engine,
                        const CudnnTarget& target) {
  std::vector<Descriptor> choices;
  for (const CudnnKnob& knob : engine.knobs) {
    Descriptor choice(library, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
    choice.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, static_cast<cudnnBackendKnobType_t>(knob.type))
        .set(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, knob.value);
    choice.finalize("setting a knob");
    choices.push_back(std::move(choice));
  }
  Descriptor made(library, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  made.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph.descriptor)
      .set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, engine.index);
  if (target.properties != nullptr) made.set(CUDNN_ATTR_ENGINE_DEVICEPROP, *target.properties);
  made.finalize("choosing an engine");
  Descriptor config(library, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  config.set(CUDNN_ATTR_ENGINECFG_ENGINE, made);
  if (!choices.empty()) config.set_all(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, choices);
  config.finalize("configuring an engine");
  choices.push_back(std::move(made));
  return {std::move(choices), std::move(config)};
}

}  // namespace fovea::cuda
