#include "engine/backend/cuda/cublaslt_product.h"

#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

cublasLtEpilogue_t epilogue_of(const CublasLtProduct& product) {
  if (product.bias) return product.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
  return product.relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT;
}

std::string place(const CublasLtPlace& at) {
  return cat(at.row_stride, '@', at.alignment);
}

template <typename T>
void set(const CublasLtLibrary& library,
         cublasLtMatmulDesc_t operation,
         cublasLtMatmulDescAttributes_t name,
         T value) {
  check(library,
        library.set_operation(operation, name, static_cast<const void*>(&value), sizeof value),
        "describing a product");
}

/// A matrix of `columns` rows of ours, which have `rows` elements each.
CublasLtOwned<cublasLtMatrixLayout_t> make_layout(const CublasLtLibrary& library,
                                                  const CublasLtProduct& product,
                                                  std::int64_t rows,
                                                  std::int64_t columns,
                                                  std::int64_t row_stride) {
  cublasLtMatrixLayout_t layout = nullptr;
  check(library,
        library.create_layout(&layout,
                              element_type_of(product),
                              static_cast<std::uint64_t>(rows),
                              static_cast<std::uint64_t>(columns),
                              row_stride),
        "describing a matrix");
  return {layout, {&library}};
}

CublasLtOwned<cublasLtMatmulDesc_t> make_matmul(const CublasLtLibrary& library,
                                                const CublasLtProduct& product,
                                                const void* bias) {
  cublasLtMatmulDesc_t made = nullptr;
  check(library,
        library.create_operation(&made, compute_type_of(product), CUDA_R_32F),
        "describing a product");
  CublasLtOwned<cublasLtMatmulDesc_t> matmul(made, {&library});
  set(library, made, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  set(library, made, CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
  set(library, made, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_of(product));
  if (product.bias) set(library, made, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  return matmul;
}

}  // namespace

std::string to_string(const CublasLtProduct& product) {
  std::string text = cat(to_string(product.dtype),
                         '[',
                         product.rows,
                         ',',
                         product.inputs,
                         "] x",
                         place(product.x),
                         " [",
                         product.outputs,
                         "] y",
                         place(product.y));
  if (product.bias || product.relu) {
    text.append(cat(' ',
                    product.bias ? "bias" : "",
                    product.bias && product.relu ? "+" : "",
                    product.relu ? "relu" : ""));
  }
  if (product.tf32) text.append(" tf32");
  return text;
}

cudaDataType_t element_type_of(const CublasLtProduct& product) {
  if (product.dtype == DType::kFloat16) return CUDA_R_16F;
  if (product.dtype == DType::kBFloat16) return CUDA_R_16BF;
  return CUDA_R_32F;
}

cublasComputeType_t compute_type_of(const CublasLtProduct& product) {
  return product.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

CublasLtOperation make_operation(const CublasLtLibrary& library,
                                 const CublasLtProduct& product,
                                 const void* bias) {
  return {.matmul = make_matmul(library, product, bias),
          .weights = make_layout(library, product, product.inputs, product.outputs, product.inputs),
          .x = make_layout(library, product, product.inputs, product.rows, product.x.row_stride),
          .y = make_layout(library, product, product.outputs, product.rows, product.y.row_stride)};
}

}  // namespace fovea::cuda
