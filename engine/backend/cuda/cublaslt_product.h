// A dense layer as cuBLASLt is asked for it: the numbers that say it, and the descriptors that
// cuBLASLt is told them by.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include <fovea/types.h>

#include "engine/backend/cuda/cublaslt_library.h"

namespace fovea::cuda {

/// Rows in memory: elements from row to row, at least a row's own, and the bytes that the address
/// of the first is a multiple of, at most 16.
struct CublasLtPlace {
  std::int64_t row_stride = 0;
  std::int64_t alignment = 16;

  auto operator<=>(const CublasLtPlace&) const = default;
};

/// y[r][o] = act(sum_i x[r][i] * w[o][i] (+ bias[o])). x, w, bias and y have one type, which is
/// float32, f16 or bf16; sums are float32. w is dense and aligned to 16 bytes, as the bias is.
struct CublasLtProduct {
  DType dtype = DType::kFloat32;
  std::int64_t rows = 1;     ///< >= 1, as the others
  std::int64_t inputs = 1;   ///< columns of x and w
  std::int64_t outputs = 1;  ///< rows of w, columns of y
  CublasLtPlace x{};
  CublasLtPlace y{};
  bool bias = false;
  bool relu = false;
  bool tf32 = false;  ///< see OpSite; of float32 only

  auto operator<=>(const CublasLtProduct&) const = default;
};

/// "f16[32,4096] x4096@16 [1000] y1000@16 bias+relu", for messages.
[[nodiscard]] std::string to_string(const CublasLtProduct& product);

/// As cuBLASLt names the element type and the type of products and sums.
[[nodiscard]] cudaDataType_t element_type_of(const CublasLtProduct& product);
[[nodiscard]] cublasComputeType_t compute_type_of(const CublasLtProduct& product);

/// What cuBLASLt is told of a product. Its matrices are column-major: rows of ours are columns of
/// its. So y^T = w x^T is an outputs x rows matrix, and w, which is kept as it comes, is transposed
/// back; both factors have their sums' elements side by side ("TN"). The library outlives it.
struct CublasLtOperation {
  CublasLtOwned<cublasLtMatmulDesc_t> matmul;
  CublasLtOwned<cublasLtMatrixLayout_t> weights;
  CublasLtOwned<cublasLtMatrixLayout_t> x;
  CublasLtOwned<cublasLtMatrixLayout_t> y;
};

/// bias   on the device, `outputs` elements; heuristics look at its alignment alone. Null where
///        there is none
///
/// Throws CublasLtError.
[[nodiscard]] CublasLtOperation make_operation(const CublasLtLibrary& library,
                                               const CublasLtProduct& product,
                                               const void* bias);

}  // namespace fovea::cuda
