// What tests hold sums of products to: double precision, and numbers of as few bits as a kernel
// multiplies.
#pragma once

#include <cmath>

namespace fovea::test {

/// x with `bits` bits of fraction, ties away from zero.
inline float with_fraction_bits(float x, int bits) {
  int exponent = 0;
  const double fraction = std::frexp(double{x}, &exponent);
  return static_cast<float>(
      std::ldexp(std::round(std::ldexp(fraction, bits + 1)), exponent - bits - 1));
}

/// A sum in double precision, and that of its terms' magnitudes.
struct ExactSum {
  double value = 0;
  double magnitude = 0;

  void add(double term) {
    value += term;
    magnitude += std::abs(term);
  }
};

}  // namespace fovea::test
