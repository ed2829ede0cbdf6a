#include "engine/core/resample_wide.h"

#include <algorithm>
#include <cstring>

namespace fovea {

namespace {

std::uint16_t load(const std::uint8_t* row, std::ptrdiff_t i) {
  std::uint16_t value = 0;
  std::memcpy(&value, row + 2 * i, sizeof value);
  return value;
}

void store(std::uint8_t* row, std::size_t i, double sum) {
  const double rounded = sum >= 0.0 ? sum + 0.5 : sum - 0.5;
  const auto value = static_cast<std::uint16_t>(std::clamp(static_cast<int>(rounded), 0, 65535));
  std::memcpy(row + 2 * i, &value, sizeof value);
}

}  // namespace

void horizontal_wide(ConstRows in, int rows, const ResampleAxis& axis, MutableRows out) {
  for (int y = 0; y < rows; ++y) {
    for (std::size_t x = 0; x < axis.first.size(); ++x) {
      const double* weights = axis.weights.data() + x * axis.taps;
      double sum = 0.0;
      for (int tap = 0; tap < axis.count[x]; ++tap) {
        sum += load(in[y], axis.first[x] + tap) * weights[tap];
      }
      store(out[y], x, sum);
    }
  }
}

void vertical_wide(ConstRows in, int width, const ResampleAxis& axis, MutableRows out) {
  for (std::size_t y = 0; y < axis.first.size(); ++y) {
    const double* weights = axis.weights.data() + y * axis.taps;
    for (int x = 0; x < width; ++x) {
      double sum = 0.0;
      for (int tap = 0; tap < axis.count[y]; ++tap) {
        sum += load(in[axis.first[y] + tap], x) * weights[tap];
      }
      store(out[static_cast<std::ptrdiff_t>(y)], static_cast<std::size_t>(x), sum);
    }
  }
}

}  // namespace fovea
