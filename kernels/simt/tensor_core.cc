// The emulator's matrix products.
#include <algorithm>

#include "kernels/simt/emulated_tensor_core.h"

namespace simt {

namespace {

/// Rows of A and of B: A's are the rows of the sums, B's their columns.
constexpr int kRowsOfA = 16;
constexpr int kRowsOfB = 8;

/// Words of a row; every group of four lanes holds a row, or two of A.
constexpr int kRowWords = 8;
constexpr int kGroupLanes = 4;

struct Half {
  static constexpr int kPerWord = 2;

  static double element(unsigned word, int i) {
    return __half2float(
        __half(__half_raw{static_cast<unsigned short>(i == 0 ? word : word >> 16U)}));
  }
};

struct BFloat16 {
  static constexpr int kPerWord = 2;

  static double element(unsigned word, int i) {
    return __builtin_bit_cast(float, i == 0 ? word << 16U : word & 0xffff'0000U);
  }
};

struct Tf32 {
  static constexpr int kPerWord = 1;

  /// The hardware does not look at the bits that to_tf32() clears.
  static double element(unsigned word, int /*i*/) {
    return __builtin_bit_cast(float, word & ~0x1fffU);
  }
};

ProductLane& lane_at(const WarpLanes& lanes, int row, int word) {
  const int lane = row % 8 * kGroupLanes + word % kGroupLanes;
  return *static_cast<ProductLane*>(lanes.at(static_cast<std::size_t>(lane)));
}

template <typename Element>
void multiply(const WarpLanes& lanes) {
  constexpr int kDepth = kRowWords * Element::kPerWord;
  double a[kRowsOfA][kDepth];
  double b[kRowsOfB][kDepth];
  for (int k = 0; k < kDepth; ++k) {
    const int word = k / Element::kPerWord;
    const int high = word / kGroupLanes;
    for (int row = 0; row < kRowsOfA; ++row) {
      const unsigned bits = lane_at(lanes, row, word).a[row / 8 + 2 * high];
      a[row][k] = Element::element(bits, k % Element::kPerWord);
    }
    for (int row = 0; row < kRowsOfB; ++row) {
      const unsigned bits = lane_at(lanes, row, word).b[high];
      b[row][k] = Element::element(bits, k % Element::kPerWord);
    }
  }
  for (int row = 0; row < kRowsOfA; ++row) {
    for (int col = 0; col < kRowsOfB; ++col) {
      float& sum = lane_at(lanes, row, col / 2).sums[row / 8 * 2 + col % 2];
      for (int k = 0; k < kDepth; ++k) sum = static_cast<float>(sum + a[row][k] * b[col][k]);
    }
  }
}

}  // namespace

void multiply_half(const WarpLanes& lanes) {
  multiply<Half>(lanes);
}

void multiply_bfloat16(const WarpLanes& lanes) {
  multiply<BFloat16>(lanes);
}

void multiply_tf32(const WarpLanes& lanes) {
  multiply<Tf32>(lanes);
}

void exchange_rows(const WarpLanes& lanes) {
  constexpr std::size_t kMatrixRows = 8;
  for (std::size_t l = 0; l < lanes.size(); ++l) {
    auto& reader = *static_cast<MatrixLane*>(lanes[l]);
    for (std::size_t m = 0; m < reader.rows.size(); ++m) {
      const std::size_t owner = m * kMatrixRows + l / kGroupLanes;
      reader.rows[m] = static_cast<const MatrixLane*>(lanes[owner])->row;
    }
  }
}

}  // namespace simt
