// The passes with AVX2, chosen at run time.
//
// A weight has 24 bits and no SIMD multiplication of that width sums up neighbours, so it is split
// as high * 2^12 + low. vpmaddwd then does two taps at once with either half, and the sums of the
// halves, taken modulo 2^32, give exactly the sum of the whole weights.
#include <algorithm>
#include <array>
#include <cstring>

#include <immintrin.h>

#include "engine/core/resample_pass.h"

// Not a compiler flag of this file: inline functions of headers would then be AVX2 code for all.
#define FOVEA_AVX2 __attribute__((target("avx2")))

namespace fovea {

namespace {

constexpr int kLowBits = 12;

/// Two neighbouring taps: their high parts in one 32-bit lane, their low parts in another.
struct TapPair {
  std::array<std::int16_t, 2> high{};
  std::array<std::int16_t, 2> low{};

  void set(std::size_t at, std::int32_t weight) {
    high[at] = static_cast<std::int16_t>(weight >> kLowBits);
    low[at] = static_cast<std::int16_t>(weight & ((1 << kLowBits) - 1));
  }
};

/// The weights of every position in `pairs` pairs; missing taps are 0.
std::vector<TapPair> tap_pairs(const ResampleTaps& taps, std::size_t pairs) {
  const ResampleAxis& axis = taps.axis;
  std::vector<TapPair> packed(axis.first.size() * pairs);
  for (std::size_t i = 0; i < axis.first.size(); ++i) {
    for (std::size_t tap = 0; tap < static_cast<std::size_t>(axis.count[i]); ++tap) {
      packed[i * pairs + tap / 2].set(tap % 2, taps.weights[i * axis.taps + tap]);
    }
  }
  return packed;
}

FOVEA_AVX2 inline __m256i broadcast(const std::array<std::int16_t, 2>& pair) {
  std::int32_t lanes = 0;
  std::memcpy(&lanes, pair.data(), sizeof lanes);
  return _mm256_set1_epi32(lanes);
}

/// Running sums of eight values, the halves of the weights apart.
struct Sums {
  __m256i high;
  __m256i low;

  FOVEA_AVX2 void start() {
    high = _mm256_setzero_si256();
    low = _mm256_set1_epi32(kResampleHalf);
  }

  FOVEA_AVX2 void add(__m256i values, __m256i weights_high, __m256i weights_low) {
    high = _mm256_add_epi32(high, _mm256_madd_epi16(values, weights_high));
    low = _mm256_add_epi32(low, _mm256_madd_epi16(values, weights_low));
  }

  /// The sums as integers; packing with saturation then cuts them to bytes.
  [[nodiscard]] FOVEA_AVX2 __m256i finish() const {
    const __m256i sum = _mm256_add_epi32(low, _mm256_slli_epi32(high, kLowBits));
    return _mm256_srai_epi32(sum, kResampleBits);
  }
};

/// Sixteen bytes of one row in the lower half and of another in the upper half.
FOVEA_AVX2 inline __m256i load_two(const std::uint8_t* lower, const std::uint8_t* upper) {
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(lower));
  const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(upper));
  return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/// Shuffles two RGB pixels of both halves, from byte `First` on, into 16-bit pairs:
/// r0 r1 g0 g1 b0 b1 0 0.
template <char First>
FOVEA_AVX2 inline __m256i pixel_pair(__m256i pixels) {
  constexpr char kZero = -1;
  constexpr char kSecond = First + 3;
  const __m128i order = _mm_setr_epi8(First,
                                      kZero,
                                      kSecond,
                                      kZero,
                                      First + 1,
                                      kZero,
                                      kSecond + 1,
                                      kZero,
                                      First + 2,
                                      kZero,
                                      kSecond + 2,
                                      kZero,
                                      kZero,
                                      kZero,
                                      kZero,
                                      kZero);
  return _mm256_shuffle_epi8(pixels, _mm256_broadcastsi128_si256(order));
}

/// One position of two rows; four pixels of each are loaded at a time. Returns r g b x of the first
/// row in 32-bit lane 0 and of the second in lane 4.
FOVEA_AVX2 inline __m256i horizontal_position(const std::uint8_t* row0,
                                              const std::uint8_t* row1,
                                              const TapPair* pair,
                                              std::size_t pairs) {
  Sums sums;
  sums.start();
  for (; pairs >= 2; pairs -= 2, pair += 2, row0 += 12, row1 += 12) {
    const __m256i pixels = load_two(row0, row1);
    sums.add(pixel_pair<0>(pixels), broadcast(pair[0].high), broadcast(pair[0].low));
    sums.add(pixel_pair<6>(pixels), broadcast(pair[1].high), broadcast(pair[1].low));
  }
  if (pairs == 1) {
    sums.add(pixel_pair<0>(load_two(row0, row1)), broadcast(pair->high), broadcast(pair->low));
  }
  const __m256i words = _mm256_packs_epi32(sums.finish(), _mm256_setzero_si256());
  return _mm256_packus_epi16(words, words);
}

FOVEA_AVX2 void horizontal_two_rows(const std::uint8_t* row0,
                                    const std::uint8_t* row1,
                                    const ResampleAxis& axis,
                                    const std::vector<TapPair>& weights,
                                    std::size_t pairs,
                                    std::uint8_t* out0,
                                    std::uint8_t* out1) {
  const std::size_t count = axis.first.size();
  const TapPair* pair = weights.data();
  for (std::size_t x = 0; x < count; ++x, pair += pairs, out0 += 3, out1 += 3) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(axis.first[x]) * 3;
    const auto used = static_cast<std::size_t>(axis.count[x] + 1) / 2;
    const __m256i pixels = horizontal_position(row0 + at, row1 + at, pair, used);
    const std::int32_t rgb0 = _mm256_extract_epi32(pixels, 0);
    const std::int32_t rgb1 = _mm256_extract_epi32(pixels, 4);
    // The fourth byte is overwritten by the next pixel, where there is one.
    const std::size_t bytes = x + 1 < count ? 4 : 3;
    std::memcpy(out0, &rgb0, bytes);
    std::memcpy(out1, &rgb1, bytes);
  }
}

FOVEA_AVX2 void horizontal(ConstRows in,
                           int rows,
                           std::size_t row_bytes,
                           int channels,
                           const ResampleTaps& taps,
                           MutableRows out) {
  constexpr std::size_t kLoadBytes = 16;
  const ResampleKernels& scalar = scalar_resample_kernels();
  int y = 0;
  // A load may reach beyond its row, by less than its length: the last row is left to plain code.
  if (channels == 3 && row_bytes >= kLoadBytes) {
    const std::size_t pairs = (taps.axis.taps + 1) / 2;
    const std::vector<TapPair> packed = tap_pairs(taps, pairs);
    for (; y + 2 < rows; y += 2) {
      horizontal_two_rows(in[y], in[y + 1], taps.axis, packed, pairs, out[y], out[y + 1]);
    }
  }
  scalar.horizontal({in[y], in.stride}, rows - y, row_bytes, channels, taps, {out[y], out.stride});
}

/// Thirty-two neighbouring values of one output row.
FOVEA_AVX2 inline void vertical_block(
    ConstRows in, std::size_t begin, const TapPair* pair, int taps, std::uint8_t* out) {
  const __m256i zero = _mm256_setzero_si256();
  std::array<Sums, 4> sums;
  for (Sums& sum : sums) sum.start();
  for (int tap = 0; tap < taps; tap += 2, ++pair) {
    const auto load = [&](int row) FOVEA_AVX2 {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in[row] + begin));
    };
    const __m256i even = load(tap);
    const __m256i odd = tap + 1 < taps ? load(tap + 1) : zero;
    const __m256i low = _mm256_unpacklo_epi8(even, odd);
    const __m256i high = _mm256_unpackhi_epi8(even, odd);
    const __m256i weights_high = broadcast(pair->high);
    const __m256i weights_low = broadcast(pair->low);
    sums[0].add(_mm256_unpacklo_epi8(low, zero), weights_high, weights_low);
    sums[1].add(_mm256_unpackhi_epi8(low, zero), weights_high, weights_low);
    sums[2].add(_mm256_unpacklo_epi8(high, zero), weights_high, weights_low);
    sums[3].add(_mm256_unpackhi_epi8(high, zero), weights_high, weights_low);
  }
  // Packing works in the same 128-bit halves as unpacking: the order is the original one again.
  const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(sums[0].finish(), sums[1].finish()),
                                            _mm256_packs_epi32(sums[2].finish(), sums[3].finish()));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + begin), bytes);
}

FOVEA_AVX2 void vertical(ConstRows in,
                         std::size_t row_bytes,
                         const ResampleTaps& taps,
                         MutableRows out) {
  constexpr std::size_t kBlock = 32;
  if (row_bytes < kBlock) {
    scalar_resample_kernels().vertical(in, row_bytes, taps, out);
    return;
  }
  const ResampleAxis& axis = taps.axis;
  const std::size_t pairs = (axis.taps + 1) / 2;
  const std::vector<TapPair> packed = tap_pairs(taps, pairs);
  for (std::size_t y = 0; y < axis.first.size(); ++y) {
    const ConstRows from{in[axis.first[y]], in.stride};
    const TapPair* weights = packed.data() + y * pairs;
    std::uint8_t* row = out[static_cast<std::ptrdiff_t>(y)];
    for (std::size_t i = 0; i < row_bytes; i += kBlock) {
      // The last block starts early rather than late: some values are computed twice.
      const std::size_t begin = std::min(i, row_bytes - kBlock);
      vertical_block(from, begin, weights, axis.count[y], row);
    }
  }
}

}  // namespace

const ResampleKernels* simd_resample_kernels() {
  static constexpr ResampleKernels kKernels{"avx2", horizontal, vertical};
  return __builtin_cpu_supports("avx2") != 0 ? &kKernels : nullptr;
}

}  // namespace fovea
