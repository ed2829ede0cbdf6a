// The element types that kernels compute with.
#pragma once

#include <fovea/error.h>

#include "engine/backend/backend.h"
#include "engine/core/require.h"
#include "kernels/element.h"

namespace fovea::cuda {

/// float32, f16 or bf16 as the kernels call them. Throws Error (internal) for other types.
[[nodiscard]] inline kernels::ElementType element_type(DType dtype) {
  if (dtype == DType::kFloat32) return kernels::ElementType::kFloat32;
  if (dtype == DType::kFloat16) return kernels::ElementType::kFloat16;
  if (dtype == DType::kBFloat16) return kernels::ElementType::kBFloat16;
  throw Error(ErrorCode::kInternal, cat("no kernel computes with elements of ", to_string(dtype)));
}

}  // namespace fovea::cuda
