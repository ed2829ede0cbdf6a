// The sums of a dense layer for a few rows and units at a time.
//
// A word is what one multiply-add of a 32-bit lane takes: a float32, or two neighbouring bf16.
#pragma once

#include <cstdint>

#include "engine/backend/cpu/lanes.h"

namespace fovea::cpu::dense {

using Word = std::uint32_t;

/// The most rows that one call takes: with two registers of units each, 28 sums, the weights and a
/// broadcast input fill the 32 registers.
inline constexpr std::int64_t kMostRows = 14;

/// Registers of units that one call computes: a panel.
inline constexpr std::int64_t kPanelVectors = 2;
inline constexpr std::int64_t kPanelUnits = kPanelVectors * kLanes;

/// sums[r][u] += sum over k of x[k][r] * w[k][u], in ascending order of k, whatever r and the
/// number of rows are: a row's bits do not depend on its neighbours.
struct Product {
  const Word* x = nullptr;  ///< {words, rows}
  const Word* w = nullptr;  ///< {words, kPanelUnits}
  std::int64_t words = 0;
  float* sums = nullptr;        ///< {rows, kPanelUnits}
  const Word* fetch = nullptr;  ///< what will be read soon, any address: two lines with each word
  std::int64_t fetch_step = 0;  ///< words of it from one word to the next
};

/// rows  1 to kMostRows
///
/// Needs AVX-512 F; for bf16 also AVX-512 BF16.
void multiply_f32(const Product& product, std::int64_t rows);
void multiply_bf16(const Product& product, std::int64_t rows);

}  // namespace fovea::cpu::dense
