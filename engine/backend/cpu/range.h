// Numbers that are cut into equal parts.
#pragma once

#include <cstdint>

namespace fovea::cpu {

[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// A half-open range.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  /// The numbers that part `index` of `parts` equal ones has.
  static Range part(std::int64_t begin, std::int64_t end, std::int64_t index, std::int64_t parts) {
    const std::int64_t count = end - begin;
    return {begin + count * index / parts, begin + count * (index + 1) / parts};
  }

  [[nodiscard]] std::int64_t size() const { return end - begin; }
};

}  // namespace fovea::cpu
