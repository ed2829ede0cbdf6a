#include "engine/graph/tensor_difference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/core/require.h"
#include "engine/graph/ops/cast.h"

namespace fovea {

namespace {

std::vector<float> to_floats(const ConstTensorView& view) {
  const TensorDesc desc{DType::kFloat32, view.desc->shape};
  std::vector<float> values(static_cast<std::size_t>(num_elements(desc.shape)));
  const TensorView target{&desc, reinterpret_cast<std::byte*>(values.data())};
  Cast{DType::kFloat32}.evaluate({&view, 1}, {&target, 1});
  return values;
}

double distance(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double d = std::abs(a - b);
  return std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
}

}  // namespace

TensorDifference difference(const ConstTensorView& a, const ConstTensorView& b) {
  require(*a.desc == *b.desc, "only tensors of one description are compared");
  const std::vector<float> left = to_floats(a);
  const std::vector<float> right = to_floats(b);
  TensorDifference result;
  double largest = 0;
  double product = 0;
  double left_square = 0;
  double right_square = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double x = left[i];
    const double y = right[i];
    result.max_abs = std::max(result.max_abs, distance(x, y));
    if (!std::isfinite(x) || !std::isfinite(y)) continue;
    largest = std::max(largest, std::abs(x));
    product += x * y;
    left_square += x * x;
    right_square += y * y;
  }
  result.max_rel = largest > 0 ? result.max_abs / largest : result.max_abs;
  const double norms = std::sqrt(left_square) * std::sqrt(right_square);
  if (norms > 0) {
    result.cosine = product / norms;
  } else {
    result.cosine = left_square == right_square ? 1 : 0;
  }
  return result;
}

}  // namespace fovea
