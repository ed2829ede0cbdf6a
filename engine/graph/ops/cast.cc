#include "engine/graph/ops/cast.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

namespace fovea {

namespace {

/// A 16-bit float: a sign, an exponent, and a fraction of that many bits.
template <int Fraction>
struct Small {
  static constexpr int kBias = (1 << (14 - Fraction)) - 1;
  static constexpr std::uint32_t kInfinity = ((1U << (15 - Fraction)) - 1) << Fraction;

  std::uint16_t bits;
};

using Half = Small<10>;
using BFloat16 = Small<7>;

/// Rounds to nearest, ties to even. NaN becomes the quiet NaN of its sign.
template <int Fraction>
Small<Fraction> narrow(double x) {
  using To = Small<Fraction>;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t sign = bits >> 63U << 15U;
  std::uint64_t rounded = To::kInfinity;
  if (std::isnan(x)) {
    rounded |= 1U << (Fraction - 1);
  } else if (std::isfinite(x)) {
    const int exponent = static_cast<int>(bits >> 52U & 0x7FFU) - 1023;
    const std::uint64_t significand = (bits & ((1ULL << 52U) - 1)) | 1ULL << 52U;
    // Below the smallest normal number the last place stays where it is there.
    const int place = std::max(exponent, 1 - To::kBias);
    const int dropped = std::min(52 - Fraction + place - exponent, 63);
    const std::uint64_t kept = significand >> dropped;
    const std::uint64_t rest = significand & ((1ULL << dropped) - 1);
    const std::uint64_t half = 1ULL << (dropped - 1);
    const bool up = rest > half || (rest == half && (kept & 1U) != 0);
    // A normal number's leading one adds 1 to the exponent, and so does a carry.
    const auto scale = static_cast<std::uint64_t>(place - (1 - To::kBias));
    rounded = std::min<std::uint64_t>((scale << Fraction) + kept + (up ? 1 : 0), To::kInfinity);
  }
  return {static_cast<std::uint16_t>(sign | rounded)};
}

template <int Fraction>
double widen(Small<Fraction> x) {
  using From = Small<Fraction>;
  const std::uint32_t magnitude = x.bits & 0x7FFFU;
  const int exponent = static_cast<int>(magnitude >> Fraction);
  const std::uint32_t fraction = magnitude & ((1U << Fraction) - 1);
  double value = 0.0;
  if (magnitude > From::kInfinity) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (magnitude == From::kInfinity) {
    value = std::numeric_limits<double>::infinity();
  } else if (exponent == 0) {
    value = std::ldexp(fraction, 1 - From::kBias - Fraction);
  } else {
    value = std::ldexp(fraction + (1U << Fraction), exponent - From::kBias - Fraction);
  }
  return (x.bits & 0x8000U) != 0 ? -value : value;
}

/// A double that every narrower float type rounds as it would round x itself: where x has more than
/// 53 bits, the last one kept says whether anything was lost.
double to_double(std::int64_t x) {
  constexpr std::int64_t kLow = (1 << 11) - 1;
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  if (x >= -kExact && x <= kExact) return static_cast<double>(x);
  const std::int64_t sticky = (x & kLow) != 0 ? kLow + 1 : 0;
  return static_cast<double>((x & ~kLow) | sticky);
}

template <std::integral To>
To saturate(double x) {
  // Both bounds are powers of two (or zero), so they are exact.
  constexpr double kLowest = static_cast<double>(std::numeric_limits<To>::min());
  constexpr auto kBeyond = static_cast<double>(1ULL << std::numeric_limits<To>::digits);
  if (std::isnan(x)) return 0;
  if (x <= kLowest) return std::numeric_limits<To>::min();
  if (x >= kBeyond) return std::numeric_limits<To>::max();
  return static_cast<To>(x);
}

template <std::integral To>
To saturate(std::int64_t x) {
  if (std::in_range<To>(x)) return static_cast<To>(x);
  return x < 0 ? std::numeric_limits<To>::min() : std::numeric_limits<To>::max();
}

/// Widest type that holds every value of an element: double, or i64 for the integers.
double load(float x) {
  return x;
}

double load(Half x) {
  return widen(x);
}

double load(BFloat16 x) {
  return widen(x);
}

std::int64_t load(std::integral auto x) {
  return x;
}

double as_double(double x) {
  return x;
}

double as_double(std::int64_t x) {
  return to_double(x);
}

template <typename To, typename Wide>
To store(Wide x) {
  if constexpr (std::integral<To>) {
    return saturate<To>(x);
  } else if constexpr (std::is_same_v<To, float>) {
    return static_cast<float>(as_double(x));
  } else if constexpr (std::is_same_v<To, Half>) {
    return narrow<10>(as_double(x));
  } else {
    return narrow<7>(as_double(x));
  }
}

/// Calls `use(T{})` with the C++ type of the elements.
template <typename Use>
void with_type(DType dtype, Use use) {
  switch (dtype) {
    case DType::kFloat32:
      return use(float{});
    case DType::kFloat16:
      return use(Half{});
    case DType::kBFloat16:
      return use(BFloat16{});
    case DType::kInt8:
      return use(std::int8_t{});
    case DType::kUInt8:
      return use(std::uint8_t{});
    case DType::kInt32:
      return use(std::int32_t{});
    case DType::kInt64:
      return use(std::int64_t{});
  }
}

void copy_bytes(ConstTensorView input, TensorView output) {
  std::memcpy(output.data, input.data, byte_size(*input.desc));
}

}  // namespace

std::vector<TensorDesc> Cast::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 1);
  return {checked_output({to, inputs[0].shape})};
}

void Cast::evaluate(std::span<const ConstTensorView> inputs,
                    std::span<const TensorView> outputs) const {
  const ConstTensorView& input = inputs[0];
  if (input.desc->dtype == to) return copy_bytes(input, outputs[0]);
  const std::int64_t count = num_elements(input.desc->shape);
  with_type(input.desc->dtype, [&]<typename From>(From) {
    with_type(to, [&]<typename To>(To) {
      const From* x = reinterpret_cast<const From*>(input.data);
      To* y = reinterpret_cast<To*>(outputs[0].data);
      for (std::int64_t i = 0; i < count; ++i) y[i] = store<To>(load(x[i]));
    });
  });
}

std::vector<TensorDesc> Identity::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 1);
  return {inputs[0]};
}

void Identity::evaluate(std::span<const ConstTensorView> inputs,
                        std::span<const TensorView> outputs) const {
  copy_bytes(inputs[0], outputs[0]);
}

}  // namespace fovea
