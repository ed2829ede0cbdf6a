// The reference value at a few elements: enough to find a wrong implementation of a large operation
// that takes seconds to evaluate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/graph/op.h"

namespace fovea {

/// One element of a result.
struct ElementSample {
  std::size_t output = 0;
  std::int64_t element = 0;  ///< row-major
  double value = 0;          ///< as evaluate(), but of a float not rounded to its type

  /// What rounding errors are in proportion to: the sum of the absolute values of all terms of the
  /// sum of a Conv2d, a SeparableConv2d or a Dense, the largest absolute value of the output for
  /// other operators.
  double scale = 0;
};

/// Samples of the outputs for these inputs, the same ones every time: at most `count` (>= 2) of
/// every output, with the first and the last element among them. A convolution or Dense is summed
/// at these elements alone; other operators are evaluated for the first and the last picture, or
/// wholly where the pictures of a batch are not computed each for itself.
///
/// inputs    dense, of concrete shape
/// outputs   what infer() says of them
[[nodiscard]] std::vector<ElementSample> sample_outputs(const Op& op,
                                                        std::span<const ConstTensorView> inputs,
                                                        std::span<const TensorDesc> outputs,
                                                        std::size_t count);

}  // namespace fovea
