// A cuBLASLt without a device: it keeps what it is told, proposes the algorithms that a test has
// put into it, fails where the test wants it to, and notices misuse. It multiplies on the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend/cuda/cublaslt_algorithms.h"

namespace fovea::test {

/// What algorithms say that multiply and sum float32 as it is.
inline constexpr std::uint64_t kFloat32Sums = CUBLASLT_NUMERICAL_IMPL_FLAGS_FMA |
                                              CUBLASLT_NUMERICAL_IMPL_FLAGS_ACCUMULATOR_32F |
                                              CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_32F;

/// An algorithm that heuristics propose, and that can be configured.
struct FakeAlgorithm {
  cuda::CublasLtAlgorithm algorithm;
  std::uint64_t numerical_flags = kFloat32Sums;
  std::size_t workspace_bytes = 0;
  std::uint32_t alignment = 4;  ///< bytes, that it wants of every matrix
  cublasStatus_t state = CUBLAS_STATUS_SUCCESS;
};

/// A matrix, column-major as cuBLASLt's are.
struct FakeMatrix {
  cudaDataType_t type = CUDA_R_32F;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::int64_t stride = 0;  ///< elements from column to column
};

/// What a product is described by.
struct FakeProduct {
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cudaDataType_t scale = CUDA_R_32F;
  std::map<cublasLtMatmulDescAttributes_t, std::int32_t> attributes;
  const void* bias = nullptr;
  FakeMatrix a, b, c, d;

  [[nodiscard]] std::int32_t attribute(cublasLtMatmulDescAttributes_t name) const {
    const auto found = attributes.find(name);
    return found == attributes.end() ? 0 : found->second;
  }

  [[nodiscard]] bool has_bias() const;
  [[nodiscard]] bool has_relu() const;

  /// factor   CUBLASLT_MATMUL_DESC_TRANSA or its like for b
  [[nodiscard]] bool is_transposed(cublasLtMatmulDescAttributes_t factor) const;

  /// The number of elements of every sum.
  [[nodiscard]] std::uint64_t depth() const;
};

/// A question to the heuristics.
struct FakeQuestion {
  FakeProduct product;
  std::map<cublasLtMatmulPreferenceAttributes_t, std::uint64_t> preferences;
};

/// One product that was computed.
struct FakeMultiplication {
  FakeProduct product;
  cuda::CublasLtAlgorithm algorithm;
  const void* a = nullptr;
  const void* b = nullptr;
  void* d = nullptr;
  void* workspace = nullptr;
  cublasLtHandle_t handle = nullptr;
  cudaStream_t stream = nullptr;
};

/// What happened so far.
struct FakeCublasLtRecord {
  std::int64_t calls = 0;  ///< those that can fail
  std::int64_t calls_after_failure = 0;
  std::int64_t live_objects = 0;          ///< handles and descriptors
  std::vector<FakeQuestion> questions{};  ///< to the heuristics
  std::vector<FakeMultiplication> runs{};
  std::vector<std::string> misuse{};  ///< sentences about calls that no caller may make
};

/// d = epilogue(op(a) * op(b)) by what the run says, at its addresses: sums in double precision,
/// factors cut to TF32 where the product allows it, the result rounded to d's type.
void multiply_on_host(const FakeMultiplication& run);

/// The library's state while it lives; one at a time in a process. Its functions are thread-safe,
/// its members are set before they are called.
class FakeCublasLt {
 public:
  FakeCublasLt();
  FakeCublasLt(const FakeCublasLt&) = delete;
  FakeCublasLt& operator=(const FakeCublasLt&) = delete;
  ~FakeCublasLt();

  /// The table of its functions.
  [[nodiscard]] std::shared_ptr<cuda::CublasLtLibrary> library() const;

  std::vector<FakeAlgorithm> proposals;

  /// Whether an algorithm is for a product, when it is checked.
  std::function<bool(const FakeProduct&)> is_for = [](const FakeProduct&) { return true; };

  /// What computing a product does.
  std::function<void(const FakeMultiplication&)> run = multiply_on_host;

  /// The call of that index, from 0, fails; negative: none. Calls that destroy or ask for a text
  /// cannot fail and are not counted.
  std::int64_t failing_call = -1;
  cublasStatus_t failure = CUBLAS_STATUS_INTERNAL_ERROR;

  [[nodiscard]] FakeCublasLtRecord record() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace fovea::test
