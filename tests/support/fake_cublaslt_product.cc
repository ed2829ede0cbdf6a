// What the fake cuBLASLt computes.
#include <algorithm>
#include <bit>
#include <utility>

#include "engine/core/require.h"
#include "tests/support/fake_cublaslt.h"
#include "tests/support/run_plan.h"

namespace fovea::test {

bool FakeProduct::has_bias() const {
  const std::int32_t epilogue = attribute(CUBLASLT_MATMUL_DESC_EPILOGUE);
  return epilogue == CUBLASLT_EPILOGUE_BIAS || epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
}

bool FakeProduct::has_relu() const {
  const std::int32_t epilogue = attribute(CUBLASLT_MATMUL_DESC_EPILOGUE);
  return epilogue == CUBLASLT_EPILOGUE_RELU || epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
}

bool FakeProduct::is_transposed(cublasLtMatmulDescAttributes_t factor) const {
  return attribute(factor) == CUBLAS_OP_T;
}

std::uint64_t FakeProduct::depth() const {
  return is_transposed(CUBLASLT_MATMUL_DESC_TRANSA) ? a.rows : a.columns;
}

namespace {

DType dtype_of(cudaDataType_t type) {
  if (type == CUDA_R_16F) return DType::kFloat16;
  if (type == CUDA_R_16BF) return DType::kBFloat16;
  require(type == CUDA_R_32F, "the fake multiplies floats");
  return DType::kFloat32;
}

Floats values_at(cudaDataType_t type, const void* address, std::int64_t count) {
  const TensorDesc desc{dtype_of(type), {count}};
  return to_floats(ConstTensorView{&desc, static_cast<const std::byte*>(address)});
}

/// A matrix's elements as they lie, with what is between its columns.
Floats values_of(const FakeMatrix& matrix, const void* address) {
  const auto before_last = static_cast<std::int64_t>(matrix.columns - 1) * matrix.stride;
  return values_at(matrix.type, address, before_last + static_cast<std::int64_t>(matrix.rows));
}

/// Rounded to the 10 bits of fraction that TF32 has.
float to_tf32(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0x0fffU + (bits >> 13U & 1U)) & ~0x1fffU);
}

/// A factor by rows and columns, as the product reads it.
class Factor {
 public:
  Factor(const FakeProduct& product,
         const FakeMatrix& matrix,
         cublasLtMatmulDescAttributes_t transposed,
         const void* address)
      : values_(values_of(matrix, address)),
        stride_(matrix.stride),
        transposed_(product.is_transposed(transposed)) {
    if (product.compute != CUBLAS_COMPUTE_32F_FAST_TF32) return;
    for (float& value : values_) value = to_tf32(value);
  }

  [[nodiscard]] double at(std::int64_t row, std::int64_t column) const {
    if (transposed_) std::swap(row, column);
    return values_[static_cast<std::size_t>(column * stride_ + row)];
  }

 private:
  Floats values_;
  std::int64_t stride_;
  bool transposed_;
};

}  // namespace

void multiply_on_host(const FakeMultiplication& run) {
  const FakeProduct& product = run.product;
  const Factor a(product, product.a, CUBLASLT_MATMUL_DESC_TRANSA, run.a);
  const Factor b(product, product.b, CUBLASLT_MATMUL_DESC_TRANSB, run.b);
  const auto rows = static_cast<std::int64_t>(product.d.rows);
  const Floats bias = product.has_bias() ? values_at(product.d.type, product.bias, rows) : Floats{};
  const auto depth = static_cast<std::int64_t>(product.depth());
  const TensorDesc column_desc{dtype_of(product.d.type), {rows}};
  for (std::int64_t column = 0; column < static_cast<std::int64_t>(product.d.columns); ++column) {
    Floats result;
    for (std::int64_t row = 0; row < rows; ++row) {
      double sum = 0;
      for (std::int64_t k = 0; k < depth; ++k) sum += a.at(row, k) * b.at(k, column);
      if (!bias.empty()) sum += bias[static_cast<std::size_t>(row)];
      if (product.has_relu()) sum = std::max(sum, 0.0);
      result.push_back(static_cast<float>(sum));
    }
    const std::vector<std::byte> bytes = to_bytes(column_desc, result);
    const auto element = static_cast<std::int64_t>(element_size(column_desc.dtype));
    std::ranges::copy(bytes, static_cast<std::byte*>(run.d) + column * product.d.stride * element);
  }
}

}  // namespace fovea::test
