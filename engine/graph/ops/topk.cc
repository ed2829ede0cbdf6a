#include "engine/graph/ops/topk.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

/// The softmax of a row at its elements `which`.
void probabilities(std::span<const float> row,
                   std::span<const std::int32_t> which,
                   std::span<float> y) {
  const double largest = row[static_cast<std::size_t>(which[0])];
  double sum = 0.0;
  for (const float x : row) sum += std::exp(x - largest);
  for (std::size_t i = 0; i < which.size(); ++i) {
    y[i] = static_cast<float>(std::exp(row[static_cast<std::size_t>(which[i])] - largest) / sum);
  }
}

}  // namespace

std::vector<TensorDesc> TopK::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 1);
  const TensorDesc& x = inputs[0];
  check_dtype(x, DType::kFloat32, "x");
  check_rank(x, 2, "x");
  if (x.shape[1] > std::numeric_limits<std::int32_t>::max()) {
    throw InvalidArgument(cat("x is ", to_string(x), ", but an index must fit 31 bits"));
  }
  if (k < 1 || k > x.shape[1]) {
    throw InvalidArgument(
        cat("k is ", k, ", but x is ", to_string(x), ": it must be from 1 to ", x.shape[1]));
  }
  return {{DType::kFloat32, {x.shape[0], k}}, {DType::kInt32, {x.shape[0], k}}};
}

void TopK::evaluate(std::span<const ConstTensorView> inputs,
                    std::span<const TensorView> outputs) const {
  const auto x = inputs[0].floats();
  const auto values = outputs[0].floats();
  const auto indices = outputs[1].as<std::int32_t>();
  const auto rows = static_cast<std::size_t>(inputs[0].dim(0));
  const auto cols = static_cast<std::size_t>(inputs[0].dim(1));
  const auto best = static_cast<std::size_t>(k);
  std::vector<std::int32_t> order(cols);

  for (std::size_t n = 0; n < rows; ++n) {
    const auto row = x.subspan(n * cols, cols);
    const auto is_better = [row](std::int32_t i, std::int32_t j) {
      const float left = row[static_cast<std::size_t>(i)];
      const float right = row[static_cast<std::size_t>(j)];
      if (std::isnan(left) != std::isnan(right)) return std::isnan(right);
      return left > right || (!(left < right) && i < j);
    };
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + k, order.end(), is_better);
    for (std::size_t i = 0; i < best; ++i) {
      indices[n * best + i] = order[i];
      values[n * best + i] = row[static_cast<std::size_t>(order[i])];
    }
    if (softmax) {
      probabilities(row, std::span(order).first(best), values.subspan(n * best, best));
    }
  }
}

}  // namespace fovea
