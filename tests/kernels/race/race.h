// What tests that look for races share: the detector's reports, and small inputs.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace fovea::kernels {

/// How many reports `work` causes. Not thread-safe.
[[nodiscard]] int reports_of(const std::function<void()>& work);

/// Values from 0 to 6.25, none equal to its neighbours.
inline std::vector<float> ramp(std::size_t size) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<float>(i * 37 % 101) / 16.0F;
  return values;
}

}  // namespace fovea::kernels
