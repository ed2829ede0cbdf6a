#include "kernels/lrn.h"

#include "kernels/detail/element.h"
#include "kernels/detail/grid.h"
#include "kernels/detail/vectors.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// s^-beta for s > 0; exponents of real networks without a logarithm.
__device__ __forceinline__ float inverse_power(float s, float beta) {
  if (beta == 0.75F) return rsqrtf(s) * sqrtf(rsqrtf(s));
  if (beta == 0.5F) return rsqrtf(s);
  if (beta == 1.0F) return 1.0F / s;
  return powf(s, -beta);
}

__device__ __forceinline__ float normalized(const LrnArgs& a, float x, float squares) {
  return x * inverse_power(a.bias + a.scale * squares, a.beta);
}

/// Windows of `kReach` channels on either side. One thread per 16 bytes of a pixel, which it reads
/// with the 16 bytes before and behind them: its neighbours' reads, so they come from the cache.
template <typename T>
__global__ void __launch_bounds__(kBlockThreads) lrn_of_five(LrnArgs a, std::int64_t items) {
  constexpr int kWidth = kWidest<T>;
  constexpr int kReach = 2;
  if (global_thread() >= items) return;
  const int item = static_cast<int>(global_thread());
  const int groups = a.channels / kWidth;
  const int c = item % groups * kWidth;
  const std::int64_t pixel = item / groups;
  const T* x = static_cast<const T*>(a.x) + pixel * a.x_stride + c;

  const auto mine = load_values<kWidth>(x);
  Values<kWidth> below{};
  Values<kWidth> above{};
  if (c > 0) below = load_values<kWidth>(x - kWidth);
  if (c + kWidth < a.channels) above = load_values<kWidth>(x + kWidth);
  float squares[kWidth + 2 * kReach];
  SIMT_UNROLL
  for (int i = 0; i < kWidth + 2 * kReach; ++i) {
    const int at = i - kReach;
    const float value = at < 0        ? below.lane[kWidth + at]
                        : at < kWidth ? mine.lane[at]
                                      : above.lane[at - kWidth];
    squares[i] = value * value;
  }
  Values<kWidth> y;
  SIMT_UNROLL
  for (int i = 0; i < kWidth; ++i) {
    float sum = 0.0F;
    SIMT_UNROLL
    for (int j = 0; j <= 2 * kReach; ++j) sum += squares[i + j];
    y.lane[i] = normalized(a, mine.lane[i], sum);
  }
  store_values<kWidth>(static_cast<T*>(a.y) + pixel * a.y_stride + c, y);
}

/// Any window. One thread per element.
template <typename T>
__global__ void __launch_bounds__(kBlockThreads) lrn_of_any(LrnArgs a, std::int64_t items) {
  if (global_thread() >= items) return;
  const int item = static_cast<int>(global_thread());
  const int c = item % a.channels;
  const std::int64_t pixel = item / a.channels;
  const T* x = static_cast<const T*>(a.x) + pixel * a.x_stride;

  const int first = c > a.before ? c - a.before : 0;
  const int last = a.after < a.channels - 1 - c ? c + a.after : a.channels - 1;
  float sum = 0.0F;
  for (int j = first; j <= last; ++j) {
    const float value = to_float(x[j]);
    sum += value * value;
  }
  T* y = static_cast<T*>(a.y) + pixel * a.y_stride;
  y[c] = from_float<T>(normalized(a, to_float(x[c]), sum));
}

bool in_range(const LrnArgs& a) {
  return a.pixels >= 0 && a.channels >= 1 && a.pixels <= kMaxItems / a.channels &&
         a.x_stride >= a.channels && a.y_stride >= a.channels && a.before >= 0 && a.after >= 0;
}

}  // namespace

cudaError_t lrn(const LrnArgs& args, cudaStream_t stream) {
  if (!in_range(args)) return cudaErrorInvalidValue;
  if (args.pixels == 0) return cudaSuccess;
  return with_element(args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    const bool five =
        args.before == 2 && args.after == 2 &&
        in_vectors(args.type, args.channels, {{args.x, args.x_stride}, {args.y, args.y_stride}});
    const std::int64_t items = args.pixels * args.channels / (five ? kWidest<T> : 1);
    return launch_items(five ? lrn_of_five<T> : lrn_of_any<T>, items, stream, args, items);
  });
}

}  // namespace fovea::kernels
