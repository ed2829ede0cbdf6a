// The sums of a direct convolution for a few pixels and filters at a time.
#pragma once

#include <cstdint>

#include "engine/backend/cpu/epilogue.h"
#include "engine/backend/cpu/weight_fetch.h"

namespace fovea::cpu::direct {

/// The most pixels that one call takes: with two registers of filters each, 28 sums, the weights
/// and a broadcast input fill the 32 registers.
inline constexpr std::int64_t kMostPixels = 14;

/// Registers of filters that one call takes: a panel.
inline constexpr std::int64_t kPanelVectors = 2;

/// One element of the kernel that lies inside of the picture for all pixels of a call.
struct Tap {
  std::int64_t x = 0;  ///< floats from the first pixel's origin to its input under this tap
  std::int64_t w = 0;  ///< rows of weights before those of this tap
};

/// y[t][o] = clamp(sum over taps, then channels of x[t][tap][c] * w[tap][c][o] + bias + residual),
/// in that order, whatever t and `pixels` are: a pixel's bits do not depend on its neighbours.
struct Product {
  const float* x = nullptr;   ///< pixel t, channel c at x + tap.x + t * x_step + c
  std::int64_t x_step = 0;    ///< floats
  std::int64_t next_x = 0;    ///< floats to the first pixel of the next call, to fetch it; or 0
  std::int64_t channels = 0;  ///< > 0
  const Tap* taps = nullptr;
  std::int64_t tap_count = 0;  ///< may be 0
  const float* w = nullptr;    ///< rows of 16 * vectors, one for each tap and channel
  WeightFetch next_w{};
  float* y = nullptr;       ///< pixel t, filter o at y + t * y_step + o; may be the residual
  std::int64_t y_step = 0;  ///< floats
  std::int64_t residual_step = 0;
  std::int64_t filters = 0;  ///< 1 to 16 * vectors: nothing behind them is read or written
  Epilogue epilogue;         ///< of the first pixel and filter
};

/// pixels   1 to kMostPixels
/// vectors  1 or 2: registers of filters
///
/// Needs AVX-512 F.
void multiply(const Product& product, std::int64_t pixels, std::int64_t vectors);

}  // namespace fovea::cpu::direct
