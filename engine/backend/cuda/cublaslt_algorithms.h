// The algorithms that cuBLASLt's heuristics propose for a product, and which of them are for us.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/backend/cuda/cublaslt_product.h"

namespace fovea::cuda {

/// An algorithm by numbers that hold for one version of cuBLASLt: its configuration attributes, in
/// the order of cublasLtMatmulAlgoConfigAttributes_t.
struct CublasLtAlgorithm {
  std::array<std::uint32_t, 9> config{};

  auto operator<=>(const CublasLtAlgorithm&) const = default;
};

/// "alg66:tile20:stages35:cluster2": what differs from the defaults. Without the commas and equals
/// signs that lists of forced tactics are made of.
[[nodiscard]] std::string to_string(const CublasLtAlgorithm& algorithm);

/// An algorithm as cuBLASLt takes it, for one product.
struct CublasLtChoice {
  cublasLtMatmulAlgo_t algorithm{};
  std::size_t workspace_bytes = 0;
};

struct CublasLtCandidate {
  CublasLtAlgorithm algorithm;
  CublasLtChoice choice;
};

/// Without equal algorithms, in the order of the heuristics.
struct CublasLtCandidates {
  std::vector<CublasLtCandidate> best;
  std::vector<std::string> refusals;  ///< "alg7: sums in less than float32"
};

/// Asks the heuristics for algorithms that need no more than this workspace, and leaves out what
/// multiplies or sums in fewer bits than the product says, or might give other results every time.
/// None where cuBLASLt has none. Throws CublasLtError for other failures.
[[nodiscard]] CublasLtCandidates find_candidates(const CublasLtLibrary& library,
                                                 cublasLtHandle_t handle,
                                                 const CublasLtOperation& operation,
                                                 const CublasLtProduct& product,
                                                 std::size_t most_workspace_bytes);

/// The algorithm of these numbers; nothing where this version, device or product has none such that
/// needs no more than this workspace. Throws CublasLtError for other failures.
[[nodiscard]] std::optional<CublasLtChoice> configure(const CublasLtLibrary& library,
                                                      cublasLtHandle_t handle,
                                                      const CublasLtOperation& operation,
                                                      const CublasLtProduct& product,
                                                      const CublasLtAlgorithm& algorithm,
                                                      std::size_t most_workspace_bytes);

}  // namespace fovea::cuda
