// How far two tensors of one description are apart.
#pragma once

#include <cstddef>

#include "engine/core/tensor_view.h"

namespace fovea {

struct TensorDifference {
  double max_abs = 0;  ///< largest |a - b|; infinity where only one of the two is a number
  double max_rel = 0;  ///< max_abs over the largest |a|; max_abs where all of a is zero
  double cosine = 1;   ///< of the two as vectors; 1 where both are zero, 0 where one is
};

/// Compares all elements, of any type. NaN equals NaN, an infinity itself.
[[nodiscard]] TensorDifference difference(const ConstTensorView& a, const ConstTensorView& b);

}  // namespace fovea
