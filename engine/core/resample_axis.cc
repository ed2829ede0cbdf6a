#include "engine/core/resample_axis.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/core/require.h"

namespace fovea {

namespace {

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double triangle(double x) {
  return std::max(0.0, 1.0 - std::abs(x));
}

/// Keys' cubic convolution with a = -1/2.
double cubic(double x) {
  x = std::abs(x);
  if (x < 1.0) return (1.5 * x - 2.5) * x * x + 1.0;
  if (x < 2.0) return -0.5 * (((x - 5.0) * x + 8.0) * x - 4.0);
  return 0.0;
}

/// The window's constants are float32 in Pillow, and so is the rounding that they bring.
double hamming(double x) {
  x = std::abs(x);
  if (x == 0.0) return 1.0;
  if (x >= 1.0) return 0.0;
  x *= std::numbers::pi;
  return std::sin(x) / x * (0.54F + 0.46F * std::cos(x));
}

double box(double x) {
  return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

double lanczos(double x) {
  return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
}

struct Filter {
  double (*value)(double x);
  double support;  ///< value is 0 beyond +-support
};

Filter filter(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::kBilinear:
      return {triangle, 1.0};
    case Interpolation::kBicubic:
      return {cubic, 2.0};
    case Interpolation::kHamming:
      return {hamming, 1.0};
    case Interpolation::kBox:
      return {box, 0.5};
    case Interpolation::kLanczos:
      return {lanczos, 3.0};
    case Interpolation::kNearest:
      break;
  }
  throw InvalidArgument("nearest has no filter: use nearest_axis");
}

}  // namespace

ResampleAxis resample_axis(
    int size, float begin, float end, const OutputRange& out, Interpolation interpolation) {
  const Filter shape = filter(interpolation);
  const double scale = static_cast<double>(end - begin) / out.size;
  const double stretch = std::max(scale, 1.0);
  const double support = shape.support * stretch;
  const double to_filter = 1.0 / stretch;
  const auto center_of = [&](int i) { return begin + (out.first + i + 0.5) * scale; };
  // Pillow cuts towards zero instead; negative positions become 0 either way.
  const auto rounded = [](double position) { return static_cast<int>(std::floor(position + 0.5)); };

  ResampleAxis axis;
  const auto count = static_cast<std::size_t>(out.count);
  axis.first.resize(count);
  axis.count.resize(count);
  for (int i = 0; i < out.count; ++i) {
    const double center = center_of(i);
    const auto at = static_cast<std::size_t>(i);
    axis.first[at] = std::max(0, rounded(center - support));
    axis.count[at] = std::min(size, rounded(center + support)) - axis.first[at];
    axis.taps = std::max(axis.taps, static_cast<std::size_t>(axis.count[at]));
  }

  axis.weights.resize(count * axis.taps);
  for (int i = 0; i < out.count; ++i) {
    const double center = center_of(i);
    const auto at = static_cast<std::size_t>(i);
    double* weights = axis.weights.data() + at * axis.taps;
    double sum = 0.0;
    for (int tap = 0; tap < axis.count[at]; ++tap) {
      weights[tap] = shape.value((tap + axis.first[at] - center + 0.5) * to_filter);
      sum += weights[tap];
    }
    if (sum == 0.0) continue;
    for (int tap = 0; tap < axis.count[at]; ++tap) weights[tap] /= sum;
  }
  return axis;
}

OutputRange used_positions(const ResampleAxis& axis, int size) {
  const int begin = axis.first.front();
  return {size, begin, axis.first.back() + axis.count.back() - begin};
}

std::size_t most_taps(int size, int out_size, Interpolation interpolation) {
  if (interpolation == Interpolation::kNearest) return 1;
  const double stretch = std::max(static_cast<double>(size) / out_size, 1.0);
  // As many positions lie between the two rounded ends; one more where the ends' sums are rounded.
  const double most = std::ceil(2.0 * filter(interpolation).support * stretch) + 1.0;
  return static_cast<std::size_t>(std::min(most, static_cast<double>(size)));
}

std::vector<std::int32_t> fixed_point_weights(const ResampleAxis& axis) {
  std::vector<std::int32_t> fixed(axis.weights.size());
  std::ranges::transform(axis.weights, fixed.begin(), [](double weight) {
    const double scaled = weight * (1 << kResampleBits);
    return static_cast<std::int32_t>(weight < 0.0 ? scaled - 0.5 : scaled + 0.5);
  });
  return fixed;
}

std::vector<int> nearest_axis(
    int size, float begin, float end, const OutputRange& out, NearestWalk walk) {
  const double step = static_cast<double>(end - begin) / out.size;
  double sum = begin + step * 0.5;
  std::vector<int> sources;
  sources.reserve(static_cast<std::size_t>(out.count));
  for (int i = 0; i < out.first + out.count; ++i, sum += step) {
    const double position = walk == NearestWalk::kSum ? sum : step * (i + 0.5) + begin;
    const int source = static_cast<int>(position);
    if (i >= out.first) sources.push_back(source < size ? source : -1);
  }
  return sources;
}

}  // namespace fovea
