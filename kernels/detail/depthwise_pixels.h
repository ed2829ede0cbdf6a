// The pixels' side of a separable convolution's product: what its depthwise part makes of x.
#pragma once

#include "kernels/detail/convolution_pixels.h"
#include "kernels/detail/depthwise_values.h"
#include "kernels/separable.h"

namespace fovea::kernels {

/// The side of a depthwise window.
inline constexpr int kDepthwiseKernel = 3;

struct SeparableProblem;

/// See convolution_pixels.h. A chunk is computed when it is loaded: its sums as depthwise() makes
/// them, rounded to T. Channels come in whole chunks.
template <typename T, int Rows, int Step>
class DepthwisePixels {
 public:
  static constexpr bool kInMemory = false;

  __device__ __forceinline__ DepthwisePixels(const SeparableProblem& z,
                                             const ConvolutionPlace& place,
                                             int row,
                                             int element);

  __device__ __forceinline__ void advance(int elements) { channel_ += elements; }

  __device__ __forceinline__ void load(Packed<T, kWidest<T>> (&chunks)[Rows]) const;

 private:
  static constexpr int kWidth = kWidest<T>;

  [[nodiscard]] __device__ __forceinline__ Values<kWidth> sums_of(const Window& at) const;

  const DepthwiseArgs& a_;
  Window windows_[Rows];
  int channel_;
};

/// The pointwise part, with what its pixels are made of.
struct SeparableProblem : ConvolutionProblem {
  template <typename T, int Rows, int Step>
  using Pixels = DepthwisePixels<T, Rows, Step>;

  DepthwiseArgs depthwise;
};

template <typename T, int Rows, int Step>
__device__ __forceinline__ DepthwisePixels<T, Rows, Step>::DepthwisePixels(
    const SeparableProblem& z, const ConvolutionPlace& place, int row, int element)
    : a_(z.depthwise), channel_(element) {
  SIMT_UNROLL
  for (int i = 0; i < Rows; ++i) {
    windows_[i] = window_of(a_, z.pixels, place.pixel + row + i * Step);
  }
}

/// The sums of one row's window.
template <typename T, int Rows, int Step>
__device__ __forceinline__ auto DepthwisePixels<T, Rows, Step>::sums_of(const Window& at) const
    -> Values<kWidth> {
  const T* x = static_cast<const T*>(a_.x) + channel_;
  const T* weights = static_cast<const T*>(a_.weights) + channel_;
  Values<kWidth> sums{};
  SIMT_UNROLL
  for (int tap = 0; tap < kDepthwiseKernel * kDepthwiseKernel; ++tap) {
    const int row = tap / kDepthwiseKernel;
    const int col = tap % kDepthwiseKernel;
    if (!is_inside(a_, at, row, col)) continue;
    const auto value = read_values<kWidth>(a_, x + offset_of(a_, at, row, col));
    const auto weight = load_values<kWidth>(weights + static_cast<std::int64_t>(tap) * a_.c);
    SIMT_UNROLL
    for (int e = 0; e < kWidth; ++e) sums.lane[e] += value.lane[e] * weight.lane[e];
  }
  add_bias_and_activate(a_, channel_, sums);
  return sums;
}

template <typename T, int Rows, int Step>
__device__ __forceinline__ void DepthwisePixels<T, Rows, Step>::load(
    Packed<T, kWidest<T>> (&chunks)[Rows]) const {
  SIMT_UNROLL
  for (int i = 0; i < Rows; ++i) {
    const Values<kWidth> values = channel_ < a_.c ? sums_of(windows_[i]) : Values<kWidth>{};
    SIMT_UNROLL
    for (int e = 0; e < kWidth; ++e) chunks[i].lane[e] = from_float<T>(values.lane[e]);
  }
}

/// Launches of the two forms; the number of blocks is one per tile.
[[nodiscard]] cudaError_t launch_separable_simt(const SeparableProblem& problem,
                                                SeparableTile tile,
                                                int blocks,
                                                cudaStream_t stream);
[[nodiscard]] cudaError_t launch_separable_mma(const SeparableProblem& problem,
                                               SeparableTile tile,
                                               int blocks,
                                               cudaStream_t stream);

}  // namespace fovea::kernels
