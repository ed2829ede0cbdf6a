#include "engine/backend/cuda/cublaslt_algorithms.h"

#include <algorithm>
#include <bit>
#include <set>

#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

/// Results that are looked at, and algorithms that are taken of them.
constexpr std::size_t kMostResults = 32;
constexpr std::size_t kMostTaken = 8;

/// An attribute of an algorithm's configuration, how names spell it, and its value if nobody sets
/// it.
struct Attribute {
  cublasLtMatmulAlgoConfigAttributes_t attribute;
  const char* name;
  std::size_t bytes;
  std::uint32_t default_value;
};

constexpr std::array kConfig{Attribute{CUBLASLT_ALGO_CONFIG_ID, "alg", 4, 0},
                             Attribute{CUBLASLT_ALGO_CONFIG_TILE_ID, "tile", 4, 0},
                             Attribute{CUBLASLT_ALGO_CONFIG_SPLITK_NUM, "split", 4, 1},
                             Attribute{CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, "reduce", 4, 0},
                             Attribute{CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING, "swizzle", 4, 0},
                             Attribute{CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION, "custom", 4, 0},
                             Attribute{CUBLASLT_ALGO_CONFIG_STAGES_ID, "stages", 4, 0},
                             Attribute{CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID, "inner", 2, 0},
                             Attribute{CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, "cluster", 2, 0}};
static_assert(kConfig.size() == std::tuple_size_v<decltype(CublasLtAlgorithm::config)>);
static_assert(std::endian::native == std::endian::little, "short attributes are read into words");

constexpr std::size_t kSplits = 2;  // in kConfig

CublasLtAlgorithm read(const CublasLtLibrary& library, const cublasLtMatmulAlgo_t& algorithm) {
  CublasLtAlgorithm numbers;
  for (std::size_t i = 0; i < kConfig.size(); ++i) {
    std::size_t written = 0;
    const Attribute& part = kConfig.at(i);
    check(library,
          library.get_algorithm(
              &algorithm, part.attribute, &numbers.config.at(i), part.bytes, &written),
          "reading an algorithm");
  }
  return numbers;
}

template <typename T>
T capability(const CublasLtLibrary& library,
             const cublasLtMatmulAlgo_t& algorithm,
             cublasLtMatmulAlgoCapAttributes_t name) {
  T value{};
  std::size_t written = 0;
  check(library,
        library.get_capability(&algorithm, name, &value, sizeof value, &written),
        "reading what an algorithm can");
  return value;
}

/// Element types of factors that are coarser than the product's own.
std::uint64_t coarser_inputs(const CublasLtProduct& product) {
  constexpr std::uint64_t kBytes = CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_8I |
                                   CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_8F_E4M3 |
                                   CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_8F_E5M2;
  constexpr std::uint64_t kHalves =
      CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_16F | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_16BF;
  if (product.dtype != DType::kFloat32) return kBytes;
  if (product.tf32) return kBytes | kHalves;
  return kBytes | kHalves | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_TF32 |
         CUBLASLT_NUMERICAL_IMPL_FLAGS_TENSOR_OP_MASK;
}

/// The rule that an algorithm breaks; empty: none. How parts of sums are added up is asked for, and
/// so are alignment and workspace (ask).
std::string refusal_of(const CublasLtProduct& product,
                       const CublasLtAlgorithm& algorithm,
                       std::uint64_t flags) {
  if ((flags & coarser_inputs(product)) != 0) return "multiplies in fewer bits";
  if ((flags & CUBLASLT_NUMERICAL_IMPL_FLAGS_ACCUMULATOR_16F) != 0) {
    return "sums in less than float32";
  }
  const auto splits = static_cast<std::int32_t>(algorithm.config.at(kSplits));
  if (splits < 0) return "splits its sums by a rule of its own";
  return {};
}

template <typename T>
void set(const CublasLtLibrary& library,
         cublasLtMatmulPreference_t preference,
         cublasLtMatmulPreferenceAttributes_t name,
         T value) {
  check(library,
        library.set_preference(preference, name, static_cast<const void*>(&value), sizeof value),
        "preparing the heuristics");
}

/// Parts of sums may be added up in float32 in the workspace, which is done in one order. In the
/// output they would be rounded to its type every time.
CublasLtOwned<cublasLtMatmulPreference_t> make_preference(const CublasLtLibrary& library,
                                                          const CublasLtProduct& product,
                                                          std::size_t most_workspace_bytes) {
  cublasLtMatmulPreference_t made = nullptr;
  check(library, library.create_preference(&made), "preparing the heuristics");
  CublasLtOwned<cublasLtMatmulPreference_t> preference(made, {&library});
  const auto x = static_cast<std::uint32_t>(product.x.alignment);
  const auto y = static_cast<std::uint32_t>(product.y.alignment);
  const auto weights = static_cast<std::uint32_t>(CublasLtPlace{}.alignment);
  set(library, made, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{most_workspace_bytes});
  set(library,
      made,
      CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
      std::uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
  set(library, made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, weights);
  set(library, made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, x);
  set(library, made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, y);
  set(library, made, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, y);
  return preference;
}

/// Whether the call says that there is no such algorithm; throws for other failures.
bool is_refused(const CublasLtLibrary& library, cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_ARCH_MISMATCH ||
      status == CUBLAS_STATUS_INVALID_VALUE) {
    return true;
  }
  check(library, status, what);
  return false;
}

using Results = std::vector<cublasLtMatmulHeuristicResult_t>;

Results ask(const CublasLtLibrary& library,
            cublasLtHandle_t handle,
            const CublasLtOperation& operation,
            cublasLtMatmulPreference_t preference) {
  Results results(kMostResults);
  int count = 0;
  const cublasStatus_t status = library.ask_heuristics(handle,
                                                       operation.matmul.get(),
                                                       operation.weights.get(),
                                                       operation.x.get(),
                                                       operation.y.get(),
                                                       operation.y.get(),
                                                       preference,
                                                       static_cast<int>(kMostResults),
                                                       results.data(),
                                                       &count);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) return {};
  check(library, status, "asking the heuristics");
  results.resize(std::min(kMostResults, static_cast<std::size_t>(std::max(count, 0))));
  return results;
}

/// Whether the operands lie as the algorithm wants them, which cublasLtMatmulAlgoCheck leaves open.
bool takes_places(const CublasLtLibrary& library,
                  const cublasLtMatmulAlgo_t& algorithm,
                  const CublasLtProduct& product) {
  const auto wants = [&](cublasLtMatmulAlgoCapAttributes_t name) -> std::int64_t {
    return capability<std::uint32_t>(library, algorithm, name);
  };
  return wants(CUBLASLT_ALGO_CAP_MIN_ALIGNMENT_B_BYTES) <= product.x.alignment &&
         wants(CUBLASLT_ALGO_CAP_MIN_ALIGNMENT_C_BYTES) <= product.y.alignment &&
         wants(CUBLASLT_ALGO_CAP_MIN_ALIGNMENT_D_BYTES) <= product.y.alignment;
}

}  // namespace

std::string to_string(const CublasLtAlgorithm& algorithm) {
  std::string text = cat(kConfig[0].name, algorithm.config[0]);
  for (std::size_t i = 1; i < kConfig.size(); ++i) {
    const std::uint32_t value = algorithm.config.at(i);
    if (value != kConfig.at(i).default_value) text.append(cat(':', kConfig.at(i).name, value));
  }
  return text;
}

CublasLtCandidates find_candidates(const CublasLtLibrary& library,
                                   cublasLtHandle_t handle,
                                   const CublasLtOperation& operation,
                                   const CublasLtProduct& product,
                                   std::size_t most_workspace_bytes) {
  const auto preference = make_preference(library, product, most_workspace_bytes);
  CublasLtCandidates found;
  std::set<CublasLtAlgorithm> known;
  for (const auto& result : ask(library, handle, operation, preference.get())) {
    if (found.best.size() == kMostTaken) break;
    if (result.state != CUBLAS_STATUS_SUCCESS) continue;
    const CublasLtAlgorithm algorithm = read(library, result.algo);
    if (!known.insert(algorithm).second) continue;
    const auto flags =
        capability<std::uint64_t>(library, result.algo, CUBLASLT_ALGO_CAP_NUMERICAL_IMPL_FLAGS);
    const std::string refusal = refusal_of(product, algorithm, flags);
    if (refusal.empty()) {
      found.best.push_back({algorithm, {result.algo, result.workspaceSize}});
    } else {
      found.refusals.push_back(cat(to_string(algorithm), ": ", refusal));
    }
  }
  return found;
}

std::optional<CublasLtChoice> configure(const CublasLtLibrary& library,
                                        cublasLtHandle_t handle,
                                        const CublasLtOperation& operation,
                                        const CublasLtProduct& product,
                                        const CublasLtAlgorithm& algorithm,
                                        std::size_t most_workspace_bytes) {
  const cudaDataType_t type = element_type_of(product);
  cublasLtMatmulAlgo_t made{};
  if (is_refused(library,
                 library.init_algorithm(handle,
                                        compute_type_of(product),
                                        CUDA_R_32F,
                                        type,
                                        type,
                                        type,
                                        type,
                                        static_cast<int>(algorithm.config[0]),
                                        &made),
                 "choosing an algorithm")) {
    return std::nullopt;
  }
  // Not every algorithm takes every attribute, not even its default.
  const CublasLtAlgorithm initial = read(library, made);
  for (std::size_t i = 1; i < kConfig.size(); ++i) {
    const Attribute& part = kConfig.at(i);
    if (algorithm.config.at(i) == initial.config.at(i)) continue;
    if (is_refused(
            library,
            library.set_algorithm(&made, part.attribute, &algorithm.config.at(i), part.bytes),
            "configuring an algorithm")) {
      return std::nullopt;
    }
  }
  cublasLtMatmulHeuristicResult_t result{};
  if (is_refused(library,
                 library.check_algorithm(handle,
                                         operation.matmul.get(),
                                         operation.weights.get(),
                                         operation.x.get(),
                                         operation.y.get(),
                                         operation.y.get(),
                                         &made,
                                         &result),
                 "checking an algorithm") ||
      result.workspaceSize > most_workspace_bytes || !takes_places(library, made, product)) {
    return std::nullopt;
  }
  return CublasLtChoice{made, result.workspaceSize};
}

}  // namespace fovea::cuda
