// The engines that cuDNN's heuristics propose for a convolution, and which of them are for us.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/cuda/cudnn_graph.h"

namespace fovea::cuda {

/// A setting of an engine: `type` is a cudnnBackendKnobType_t.
struct CudnnKnob {
  std::int32_t type = 0;
  std::int64_t value = 0;

  auto operator<=>(const CudnnKnob&) const = default;
};

/// An engine with its settings, by numbers that hold for one version of cuDNN and for graphs of one
/// pattern.
struct CudnnEngine {
  std::int64_t index = 0;
  std::vector<CudnnKnob> knobs;

  auto operator<=>(const CudnnEngine&) const = default;
};

/// "eng41:k2.3:k14.1": engine 41 with its knobs 2 and 14 at 3 and 1. Without the commas and equals
/// signs that lists of forced tactics are made of.
[[nodiscard]] std::string to_string(const CudnnEngine& engine);

/// Inverse of to_string; nothing for text that it does not write.
[[nodiscard]] std::optional<CudnnEngine> parse_engine(std::string_view text);

/// More than that an engine's workspace is not worth.
inline constexpr std::size_t kMostWorkspaceBytes = std::size_t{1} << 30U;

struct CudnnCandidate {
  CudnnEngine engine;
  std::size_t workspace_bytes = 0;
  bool compiles_kernels = false;  ///< its plan is compiled by NVRTC, which takes a second or more
};

/// What an engine may be.
struct CudnnRules {
  bool strict_fp32 = false;  ///< no products of float32 values cut to fewer bits
  bool exact = false;        ///< sums the convolution's own products: no Winograd, no Fourier
  bool may_compile = true;   ///< NVRTC is there
  std::size_t most_workspace_bytes = 0;
};

/// Without equal engines, in the order of the heuristics.
struct CudnnCandidates {
  std::vector<CudnnCandidate> best;      ///< of modes A and B
  std::vector<CudnnCandidate> fallback;  ///< of mode FALLBACK: they work, and may be slow
  std::vector<std::string> refusals;     ///< "eng11: not deterministic", or a mode and its error
};

/// Asks modes A, B and FALLBACK, and leaves out what breaks a rule or gives other results every
/// time. A mode that fails is a refusal. Throws CudnnError for other failures, a lack of memory
/// too.
[[nodiscard]] CudnnCandidates find_candidates(const CudnnLibrary& library,
                                              const CudnnGraph& graph,
                                              const CudnnTarget& target,
                                              const CudnnRules& rules);

/// An engine's configuration with the engine that it refers to. The graph outlives it.
struct CudnnConfig {
  std::vector<Descriptor> parts;
  Descriptor descriptor;
};

/// Throws CudnnError where the engine is not for the graph or the target's device.
[[nodiscard]] CudnnConfig make_config(const CudnnLibrary& library,
                                      const CudnnGraph& graph,
                                      const CudnnEngine& engine,
                                      const CudnnTarget& target);

}  // namespace fovea::cuda
