// Weights that will be needed next, on their way while others are multiplied.
#pragma once

#include <cstdint>

#include "engine/backend/cpu/avx512.h"

namespace fovea::cpu {

/// What one call of a matrix kernel fetches of the panel of weights behind its own: a walk, in
/// steps that go along with the kernel's rows. A network's weights come from memory each time, and
/// the hardware's guesses end with every page.
struct WeightFetch {
  const float* from = nullptr;  ///< any address: a fetch never fails
  std::int64_t step = 0;        ///< floats for each row of weights; 0: nothing

  /// The share of call `index` of `calls` on the panel in front. Few calls fetch it all, so that it
  /// is there in time; with one call a row holds more than a fetch brings, and nothing is fetched.
  ///
  /// row   floats of a row of weights: one or two registers
  /// rows  of the panel
  [[nodiscard]] static WeightFetch share(const float* next,
                                         std::int64_t row,
                                         std::int64_t rows,
                                         std::int64_t index,
                                         std::int64_t calls) {
    constexpr std::int64_t kCalls = 4;
    const std::int64_t parts = calls < kCalls ? calls / 2 * 2 : kCalls;
    if (next == nullptr || index >= parts) return {};
    return {next + index * rows * row / parts, row / parts};
  }

  /// One row of the kernel later.
  FOVEA_AVX512_INLINE void advance() {
    _mm_prefetch(reinterpret_cast<const char*>(from), _MM_HINT_T1);
    from += step;
  }
};

}  // namespace fovea::cpu
