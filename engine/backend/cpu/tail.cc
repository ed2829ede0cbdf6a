// The tail of every classifier: softmax and top-k over rows of a few thousand values.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/lowerings.h"

namespace fovea::cpu {

namespace {

/// y may be x. Sums in double: rows are short, and goldens are compared at 2e-6.
void softmax_row(const float* x, float* y, std::int64_t columns) {
  const float peak = *std::max_element(x, x + columns);
  double sum = 0;
  for (std::int64_t c = 0; c < columns; ++c) {
    y[c] = std::exp(x[c] - peak);
    sum += y[c];
  }
  const auto scale = static_cast<float>(1.0 / sum);
  for (std::int64_t c = 0; c < columns; ++c) y[c] *= scale;
}

/// Whether value a at index i comes before value b at index j: larger first, then the lower index;
/// NaN after every number.
bool before(float a, std::int32_t i, float b, std::int32_t j) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) == std::isnan(b) ? i < j : std::isnan(b);
  return a == b ? i < j : a > b;
}

/// Insertion into a sorted list of k: k is small, and the list is the output itself.
void topk_row(
    const float* x, std::int64_t columns, float* values, std::int32_t* indices, std::int64_t k) {
  std::int64_t held = 0;
  for (std::int32_t c = 0; c < columns; ++c) {
    if (held == k && !before(x[c], c, values[k - 1], indices[k - 1])) continue;
    std::int64_t at = held < k ? held++ : k - 1;
    for (; at > 0 && before(x[c], c, values[at - 1], indices[at - 1]); --at) {
      values[at] = values[at - 1];
      indices[at] = indices[at - 1];
    }
    values[at] = x[c];
    indices[at] = c;
  }
}

/// Makes the k largest of row x, best first, into their probabilities.
void probabilities(const float* x, std::int64_t columns, float* values, std::int64_t k) {
  const float peak = values[0];
  double sum = 0;
  for (std::int64_t c = 0; c < columns; ++c) sum += std::exp(x[c] - peak);
  const auto scale = static_cast<float>(1.0 / sum);
  for (std::int64_t i = 0; i < k; ++i) values[i] = std::exp(values[i] - peak) * scale;
}

}  // namespace

std::vector<Tactic> lower_softmax(const OpSite& site) {
  const Shape& shape = site.input(0).shape;
  const std::int64_t columns = shape.back();
  const std::int64_t rows = columns == 0 ? 0 : num_elements(shape) / columns;
  Tactic tactic = host_tactic(site, "softmax", [rows, columns](const StepArgs& args) {
    for (std::int64_t r = 0; r < rows; ++r) {
      softmax_row(
          floats(args.inputs[0]) + r * columns, floats(args.outputs[0]) + r * columns, columns);
    }
  });
  tactic.aliases = {{.input = 0, .output = 0}};
  return {tactic};
}

std::vector<Tactic> lower_topk(const OpSite& site) {
  const Shape& shape = site.input(0).shape;
  const TopK& topk = *site.node.as<TopK>();
  const auto run = [rows = shape[0], columns = shape[1], topk](const StepArgs& args) {
    auto* indices = reinterpret_cast<std::int32_t*>(args.outputs[1]);
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* x = floats(args.inputs[0]) + r * columns;
      float* values = floats(args.outputs[0]) + r * topk.k;
      topk_row(x, columns, values, indices + r * topk.k, topk.k);
      if (topk.softmax) probabilities(x, columns, values, topk.k);
    }
  };
  return {host_tactic(site, topk.softmax ? "softmax-top-k" : "top-k", run)};
}

}  // namespace fovea::cpu
