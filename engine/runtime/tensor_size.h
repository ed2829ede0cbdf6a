// Sizes of a plan's inputs and outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/plan/execution_plan.h"

namespace fovea {

/// Of one tensor, computed once so that a run allocates nothing.
struct TensorSize {
  bool batched = false;
  std::size_t row_bytes = 0;  ///< of one picture; of the whole tensor where it has no batch

  /// For n pictures.
  [[nodiscard]] std::size_t bytes(std::int64_t n) const {
    return row_bytes * static_cast<std::size_t>(batched ? n : 1);
  }
};

[[nodiscard]] inline std::vector<TensorSize> tensor_sizes(std::span<const TensorInfo> tensors) {
  std::vector<TensorSize> sizes;
  for (const TensorInfo& tensor : tensors) {
    sizes.push_back({has_batch(tensor.desc), byte_size(with_batch(tensor.desc, 1))});
  }
  return sizes;
}

}  // namespace fovea
