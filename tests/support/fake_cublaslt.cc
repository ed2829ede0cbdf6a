#include "tests/support/fake_cublaslt.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "engine/core/require.h"

namespace fovea::test {

namespace {

struct Operation {
  FakeProduct product;
};

struct Preference {
  std::map<cublasLtMatmulPreferenceAttributes_t, std::uint64_t> attributes;
};

}  // namespace

struct FakeCublasLt::State {
  mutable std::mutex mutex;
  FakeCublasLt* fake = nullptr;
  std::map<const void*, std::unique_ptr<Operation>> operations;
  std::map<const void*, std::unique_ptr<FakeMatrix>> layouts;
  std::map<const void*, std::unique_ptr<Preference>> preferences;
  std::map<const void*, std::unique_ptr<char>> handles;
  bool failed = false;
  FakeCublasLtRecord record;

  /// Counts a call; the failure where it is the one that fails.
  cublasStatus_t begin() {
    if (failed) ++record.calls_after_failure;
    if (record.calls++ != fake->failing_call) return CUBLAS_STATUS_SUCCESS;
    failed = true;
    return fake->failure;
  }

  cublasStatus_t wrong(std::string what) {
    record.misuse.push_back(std::move(what));
    return CUBLAS_STATUS_INVALID_VALUE;
  }

  [[nodiscard]] const FakeAlgorithm* find(const cuda::CublasLtAlgorithm& algorithm) const {
    const auto found = std::ranges::find(fake->proposals, algorithm, &FakeAlgorithm::algorithm);
    return found == fake->proposals.end() ? nullptr : &*found;
  }

  /// What the descriptors say together; why they do not go together is a misuse.
  FakeProduct describe(cublasLtMatmulDesc_t operation,
                       cublasLtMatrixLayout_t a,
                       cublasLtMatrixLayout_t b,
                       cublasLtMatrixLayout_t c,
                       cublasLtMatrixLayout_t d) {
    for (const void* layout : {a, b, c, d}) {
      if (!layouts.contains(layout)) throw Error(ErrorCode::kInternal, "a destroyed layout");
    }
    FakeProduct product = operations.at(operation)->product;
    product.a = *layouts.at(a);
    product.b = *layouts.at(b);
    product.c = *layouts.at(c);
    product.d = *layouts.at(d);
    const bool b_transposed = product.is_transposed(CUBLASLT_MATMUL_DESC_TRANSB);
    const std::uint64_t rows =
        product.is_transposed(CUBLASLT_MATMUL_DESC_TRANSA) ? product.a.columns : product.a.rows;
    const std::uint64_t columns = b_transposed ? product.b.rows : product.b.columns;
    const std::uint64_t b_depth = b_transposed ? product.b.columns : product.b.rows;
    if (rows != product.d.rows || columns != product.d.columns || b_depth != product.depth()) {
      (void)wrong("matrices do not go together");
    }
    for (const FakeMatrix* matrix : {&product.a, &product.b, &product.c, &product.d}) {
      if (matrix->stride < static_cast<std::int64_t>(matrix->rows)) (void)wrong("columns overlap");
    }
    if (product.has_bias() && product.bias == nullptr) (void)wrong("a bias is null");
    return product;
  }
};

namespace {

FakeCublasLt::State* current = nullptr;

/// An algorithm is kept in the opaque words that callers copy.
cuda::CublasLtAlgorithm numbers_of(const cublasLtMatmulAlgo_t& algorithm) {
  cuda::CublasLtAlgorithm numbers;
  std::memcpy(numbers.config.data(), &algorithm.data[0], sizeof numbers.config);
  return numbers;
}

void keep(const cuda::CublasLtAlgorithm& numbers, cublasLtMatmulAlgo_t& algorithm) {
  static_assert(sizeof numbers.config <= sizeof algorithm.data);
  std::memcpy(&algorithm.data[0], numbers.config.data(), sizeof numbers.config);
}

/// Runs `call` on the state, as one counted call.
template <typename Call>
cublasStatus_t counted(Call&& call) {
  const std::scoped_lock lock(current->mutex);
  if (const auto status = current->begin(); status != CUBLAS_STATUS_SUCCESS) return status;
  return call(*current);
}

/// Makes an object whose address is the handle.
template <typename Objects, typename Object, typename Handle>
cublasStatus_t make(Objects FakeCublasLt::State::* objects, Object object, Handle* handle) {
  return counted([&](FakeCublasLt::State& state) {
    auto made = std::make_unique<Object>(std::move(object));
    *handle = reinterpret_cast<Handle>(made.get());
    (state.*objects).emplace(*handle, std::move(made));
    return CUBLAS_STATUS_SUCCESS;
  });
}

template <typename Objects>
cublasStatus_t destroy(Objects FakeCublasLt::State::* objects, const void* handle) {
  const std::scoped_lock lock(current->mutex);
  if ((current->*objects).erase(handle) == 0) return current->wrong("an object is destroyed twice");
  return CUBLAS_STATUS_SUCCESS;
}

const char* status_name(cublasStatus_t status) {
  static thread_local std::string text;
  text = cat("FAKE_STATUS_", static_cast<int>(status));
  return text.c_str();
}

cublasStatus_t create(cublasLtHandle_t* handle) {
  return make(&FakeCublasLt::State::handles, char{}, handle);
}

cublasStatus_t destroy_handle(cublasLtHandle_t handle) {
  return destroy(&FakeCublasLt::State::handles, handle);
}

cublasStatus_t create_operation(cublasLtMatmulDesc_t* operation,
                                cublasComputeType_t compute,
                                cudaDataType_t scale) {
  FakeProduct product;
  product.compute = compute;
  product.scale = scale;
  return make(&FakeCublasLt::State::operations, Operation{std::move(product)}, operation);
}

cublasStatus_t destroy_operation(cublasLtMatmulDesc_t operation) {
  return destroy(&FakeCublasLt::State::operations, operation);
}

cublasStatus_t set_operation(cublasLtMatmulDesc_t operation,
                             cublasLtMatmulDescAttributes_t name,
                             const void* value,
                             std::size_t bytes) {
  return counted([&](FakeCublasLt::State& state) {
    FakeProduct& product = state.operations.at(operation)->product;
    const bool is_bias = name == CUBLASLT_MATMUL_DESC_BIAS_POINTER;
    if (bytes != (is_bias ? sizeof(void*) : sizeof(std::int32_t))) {
      return state.wrong("an attribute of a product has another size");
    }
    if (is_bias) {
      std::memcpy(static_cast<void*>(&product.bias), value, bytes);
    } else {
      std::memcpy(&product.attributes[name], value, bytes);
    }
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t create_layout(cublasLtMatrixLayout_t* layout,
                             cudaDataType_t type,
                             std::uint64_t rows,
                             std::uint64_t columns,
                             std::int64_t stride) {
  return make(&FakeCublasLt::State::layouts, FakeMatrix{type, rows, columns, stride}, layout);
}

cublasStatus_t destroy_layout(cublasLtMatrixLayout_t layout) {
  return destroy(&FakeCublasLt::State::layouts, layout);
}

cublasStatus_t create_preference(cublasLtMatmulPreference_t* preference) {
  return make(&FakeCublasLt::State::preferences, Preference{}, preference);
}

cublasStatus_t destroy_preference(cublasLtMatmulPreference_t preference) {
  return destroy(&FakeCublasLt::State::preferences, preference);
}

cublasStatus_t set_preference(cublasLtMatmulPreference_t preference,
                              cublasLtMatmulPreferenceAttributes_t name,
                              const void* value,
                              std::size_t bytes) {
  return counted([&](FakeCublasLt::State& state) {
    const bool is_wide = name == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;
    if (bytes != (is_wide ? sizeof(std::uint64_t) : sizeof(std::uint32_t))) {
      return state.wrong("a preference has another size");
    }
    std::memcpy(&state.preferences.at(preference)->attributes[name], value, bytes);
    return CUBLAS_STATUS_SUCCESS;
  });
}

/// Whether the preferences leave the algorithm in.
bool is_wanted(const FakeAlgorithm& proposal,
               std::map<cublasLtMatmulPreferenceAttributes_t, std::uint64_t> preferences) {
  constexpr std::size_t kReduction = 3;  // in CublasLtAlgorithm::config
  const std::uint32_t reduction = proposal.algorithm.config.at(kReduction);
  const std::uint64_t reductions = preferences[CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK];
  const auto is_aligned = [&](cublasLtMatmulPreferenceAttributes_t name) {
    return proposal.alignment <= preferences[name];
  };
  return proposal.workspace_bytes <= preferences[CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES] &&
         (reduction == 0 || (reduction & reductions) != 0) &&
         is_aligned(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES) &&
         is_aligned(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES) &&
         is_aligned(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES) &&
         is_aligned(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
}

cublasStatus_t ask_heuristics(cublasLtHandle_t handle,
                              cublasLtMatmulDesc_t operation,
                              cublasLtMatrixLayout_t a,
                              cublasLtMatrixLayout_t b,
                              cublasLtMatrixLayout_t c,
                              cublasLtMatrixLayout_t d,
                              cublasLtMatmulPreference_t preference,
                              int most,
                              cublasLtMatmulHeuristicResult_t* results,
                              int* count) {
  return counted([&](FakeCublasLt::State& state) {
    if (!state.handles.contains(handle)) return state.wrong("a destroyed handle is asked");
    const FakeProduct product = state.describe(operation, a, b, c, d);
    const auto& preferences = state.preferences.at(preference)->attributes;
    state.record.questions.push_back({product, preferences});
    *count = 0;
    for (const FakeAlgorithm& proposal : state.fake->proposals) {
      if (*count == most || !is_wanted(proposal, preferences)) continue;
      auto& result = results[*count];
      keep(proposal.algorithm, result.algo);
      result.workspaceSize = proposal.workspace_bytes;
      result.state = proposal.state;
      ++*count;
    }
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t init_algorithm(cublasLtHandle_t handle,
                              cublasComputeType_t /*compute*/,
                              cudaDataType_t /*scale*/,
                              cudaDataType_t /*a*/,
                              cudaDataType_t /*b*/,
                              cudaDataType_t /*c*/,
                              cudaDataType_t /*d*/,
                              int id,
                              cublasLtMatmulAlgo_t* algorithm) {
  return counted([&](FakeCublasLt::State& state) {
    if (!state.handles.contains(handle)) return state.wrong("a destroyed handle is asked");
    const bool known = std::ranges::any_of(state.fake->proposals, [&](const auto& proposal) {
      return proposal.algorithm.config[0] == static_cast<std::uint32_t>(id);
    });
    if (!known) return CUBLAS_STATUS_NOT_SUPPORTED;
    keep({.config = {static_cast<std::uint32_t>(id), 0, 1}}, *algorithm);
    return CUBLAS_STATUS_SUCCESS;
  });
}

/// Bytes of an attribute of an algorithm's configuration.
std::size_t bytes_of(cublasLtMatmulAlgoConfigAttributes_t name) {
  const bool is_short =
      name == CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID || name == CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID;
  return is_short ? sizeof(std::uint16_t) : sizeof(std::uint32_t);
}

cublasStatus_t set_algorithm(cublasLtMatmulAlgo_t* algorithm,
                             cublasLtMatmulAlgoConfigAttributes_t name,
                             const void* value,
                             std::size_t bytes) {
  return counted([&](FakeCublasLt::State& state) {
    if (name == CUBLASLT_ALGO_CONFIG_ID) return state.wrong("an algorithm's index is set");
    if (bytes != bytes_of(name)) return state.wrong("an algorithm's attribute has another size");
    cuda::CublasLtAlgorithm numbers = numbers_of(*algorithm);
    std::memcpy(&numbers.config.at(static_cast<std::size_t>(name)), value, bytes);
    keep(numbers, *algorithm);
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t get_algorithm(const cublasLtMatmulAlgo_t* algorithm,
                             cublasLtMatmulAlgoConfigAttributes_t name,
                             void* value,
                             std::size_t bytes,
                             std::size_t* written) {
  return counted([&](FakeCublasLt::State& state) {
    if (bytes != bytes_of(name)) return state.wrong("an algorithm's attribute has another size");
    const cuda::CublasLtAlgorithm numbers = numbers_of(*algorithm);
    std::memcpy(value, &numbers.config.at(static_cast<std::size_t>(name)), bytes);
    *written = bytes;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t get_capability(const cublasLtMatmulAlgo_t* algorithm,
                              cublasLtMatmulAlgoCapAttributes_t name,
                              void* value,
                              std::size_t bytes,
                              std::size_t* written) {
  return counted([&](FakeCublasLt::State& state) {
    const FakeAlgorithm* known = state.find(numbers_of(*algorithm));
    if (known == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    const bool is_flags = name == CUBLASLT_ALGO_CAP_NUMERICAL_IMPL_FLAGS;
    const std::size_t size = is_flags ? sizeof known->numerical_flags : sizeof known->alignment;
    if (bytes != size) return state.wrong("a capability has another size");
    const void* const from = is_flags ? static_cast<const void*>(&known->numerical_flags)
                                      : static_cast<const void*>(&known->alignment);
    std::memcpy(value, from, bytes);
    *written = bytes;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t check_algorithm(cublasLtHandle_t handle,
                               cublasLtMatmulDesc_t operation,
                               cublasLtMatrixLayout_t a,
                               cublasLtMatrixLayout_t b,
                               cublasLtMatrixLayout_t c,
                               cublasLtMatrixLayout_t d,
                               const cublasLtMatmulAlgo_t* algorithm,
                               cublasLtMatmulHeuristicResult_t* result) {
  return counted([&](FakeCublasLt::State& state) {
    if (!state.handles.contains(handle)) return state.wrong("a destroyed handle is asked");
    const FakeProduct product = state.describe(operation, a, b, c, d);
    const FakeAlgorithm* known = state.find(numbers_of(*algorithm));
    if (known == nullptr || !state.fake->is_for(product)) return CUBLAS_STATUS_NOT_SUPPORTED;
    result->workspaceSize = known->workspace_bytes;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t multiply(cublasLtHandle_t handle,
                        cublasLtMatmulDesc_t operation,
                        const void* alpha,
                        const void* a,
                        cublasLtMatrixLayout_t a_layout,
                        const void* b,
                        cublasLtMatrixLayout_t b_layout,
                        const void* beta,
                        const void* c,
                        cublasLtMatrixLayout_t c_layout,
                        void* d,
                        cublasLtMatrixLayout_t d_layout,
                        const cublasLtMatmulAlgo_t* algorithm,
                        void* workspace,
                        std::size_t workspace_bytes,
                        cudaStream_t stream) {
  return counted([&](FakeCublasLt::State& state) {
    if (!state.handles.contains(handle)) return state.wrong("a destroyed handle multiplies");
    const FakeProduct product = state.describe(operation, a_layout, b_layout, c_layout, d_layout);
    const FakeAlgorithm* known = state.find(numbers_of(*algorithm));
    if (known == nullptr) return state.wrong("an algorithm that nobody proposed multiplies");
    if (*static_cast<const float*>(alpha) != 1 || *static_cast<const float*>(beta) != 0) {
      return state.wrong("a product is scaled");
    }
    if (c != d) return state.wrong("c is not d");
    if (workspace_bytes < known->workspace_bytes ||
        (known->workspace_bytes > 0 && workspace == nullptr)) {
      return state.wrong("the workspace is too small");
    }
    for (const void* address : {a, b, c}) {
      if (reinterpret_cast<std::uintptr_t>(address) % known->alignment != 0) {
        return state.wrong("a matrix is not aligned");
      }
    }
    const FakeMultiplication run{product, known->algorithm, a, b, d, workspace, handle, stream};
    state.record.runs.push_back(run);
    state.fake->run(run);
    return CUBLAS_STATUS_SUCCESS;
  });
}

}  // namespace

FakeCublasLt::FakeCublasLt() : state_(std::make_unique<State>()) {
  require(current == nullptr, "one fake at a time");
  state_->fake = this;
  current = state_.get();
}

FakeCublasLt::~FakeCublasLt() {
  current = nullptr;
}

std::shared_ptr<cuda::CublasLtLibrary> FakeCublasLt::library() const {
  return std::make_shared<cuda::CublasLtLibrary>(
      cuda::CublasLtLibrary{.status_name = status_name,
                            .create = create,
                            .destroy = destroy_handle,
                            .create_operation = create_operation,
                            .destroy_operation = destroy_operation,
                            .set_operation = set_operation,
                            .create_layout = create_layout,
                            .destroy_layout = destroy_layout,
                            .create_preference = create_preference,
                            .destroy_preference = destroy_preference,
                            .set_preference = set_preference,
                            .ask_heuristics = ask_heuristics,
                            .init_algorithm = init_algorithm,
                            .set_algorithm = set_algorithm,
                            .get_algorithm = get_algorithm,
                            .get_capability = get_capability,
                            .check_algorithm = check_algorithm,
                            .multiply = multiply,
                            .version = "13.0.0-fake"});
}

FakeCublasLtRecord FakeCublasLt::record() const {
  const std::scoped_lock lock(state_->mutex);
  FakeCublasLtRecord record = state_->record;
  record.live_objects =
      static_cast<std::int64_t>(state_->operations.size() + state_->layouts.size() +
                                state_->preferences.size() + state_->handles.size());
  return record;
}

}  // namespace fovea::test
