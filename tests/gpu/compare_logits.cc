#include "tests/gpu/compare_logits.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "engine/core/require.h"
#include "tests/gpu/networks.h"

namespace fovea::selftest {

namespace {

using Row = std::span<const float>;

/// What one precision is held to. The logits of the two pictures are as near as 0.0064 of their
/// range (inception_v3), and the errors of bf16 as large as 0.006 (vgg19 on an H100): neither
/// max_error nor the cosine tells there which picture a row is of. Errors point elsewhere than to
/// the other picture, though: those of bf16 move a row by at most 0.071 of the way (xception on a
/// CPU).
struct Bounds {
  double max_error;
  double cosine;
  double shift;
};

Bounds bounds_of(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return {1e-4, 0.9999, 0.05};
    case Precision::kTf32:
    case Precision::kFp16:
    case Precision::kInt8:
      return {2e-3, 0.9999, 0.05};
    case Precision::kBf16:
      break;
  }
  return {1e-2, 0.999, 0.25};
}

/// NaN where either is.
double larger(double a, double b) {
  return std::isnan(a) || a > b ? a : b;
}

double smaller(double a, double b) {
  return std::isnan(a) || a < b ? a : b;
}

double cosine(Row a, Row b) {
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

double largest_difference(Row a, Row b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = larger(largest, std::abs(double{a[i]} - b[i]));
  }
  return largest;
}

/// How far `got` lies from `own` towards `other`, as a share of the way.
double shift_towards(Row got, Row own, Row other) {
  double along = 0;
  double whole = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double way = double{other[i]} - own[i];
    along += (double{got[i]} - own[i]) * way;
    whole += way * way;
  }
  return along / whole;
}

/// Whether both have their largest element in one place, if it is more than twice `error` above the
/// second in `want`: nearer ones may change places.
bool same_best(Row got, Row want, double error) {
  const auto best = std::ranges::max_element(want) - want.begin();
  float second = -INFINITY;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (static_cast<std::ptrdiff_t>(i) != best) second = std::max(second, want[i]);
  }
  if (want[static_cast<std::size_t>(best)] - second <= 2 * error) return std::isfinite(error);
  return std::ranges::max_element(got) - got.begin() == best;
}

}  // namespace

LogitsError compare_logits(std::span<const float> got, std::span<const float> want) {
  constexpr auto kRows = static_cast<std::size_t>(kPictures);
  const std::size_t classes = want.size() / kRows;
  require(classes > 0 && want.size() == kRows * classes, "an oracle has a row for every picture");
  require(!got.empty() && got.size() % classes == 0, "logits must have the oracle's classes");
  LogitsError result;
  for (std::size_t row = 0; row < got.size() / classes; ++row) {
    const Row mine = got.subspan(row * classes, classes);
    const Row own = want.subspan(row % kRows * classes, classes);
    const double error = largest_difference(mine, own);
    const auto [least, most] = std::ranges::minmax(own);
    result.max_error = larger(result.max_error, error / (double{most} - least));
    result.cosine = smaller(result.cosine, cosine(mine, own));
    result.top1_equal = result.top1_equal && same_best(mine, own, error);
    for (std::size_t picture = 0; picture < kRows; ++picture) {
      if (picture == row % kRows) continue;
      const Row other = want.subspan(picture * classes, classes);
      result.shift = larger(result.shift, std::abs(shift_towards(mine, own, other)));
    }
  }
  return result;
}

std::string judgement(const LogitsError& error, Precision precision) {
  const Bounds bounds = bounds_of(precision);
  if (!(error.max_error <= bounds.max_error)) {
    return cat(
        "an error of ", error.max_error, " of the logits' range; at most ", bounds.max_error);
  }
  if (!(error.cosine >= bounds.cosine)) {
    return cat("a cosine of ", error.cosine, "; at least ", bounds.cosine);
  }
  if (!(error.shift <= bounds.shift)) {
    return cat("moved by ", error.shift, " of the way to another picture; at most ", bounds.shift);
  }
  return error.top1_equal ? "" : "another best class than the oracle";
}

}  // namespace fovea::selftest
