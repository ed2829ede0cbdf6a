// How one thread convolves a run of neighbouring columns of a picture depthwise, row by row.
//
// It walks down the picture. Each pixel of x is loaded and converted once and added to the sums of
// every output whose window has it, of which several rows are in flight. What is loaded is a step
// ahead of what is added, so that the memory answers while the thread computes.
#pragma once

#include <cstdint>

#include "kernels/detail/clamp.h"
#include "kernels/detail/depthwise_values.h"
#include "kernels/detail/element.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

/// How threads are laid over a convolution, and the bytes from a pixel and from a row to the next.
struct DepthwiseLayout {
  unsigned channel_tiles;  ///< blocks along channels
  int rows;                ///< of y, of a thread
  std::int64_t x_pixel;
  std::int64_t x_row;
  std::int64_t y_pixel;
  std::int64_t y_row;
  std::int64_t residual_pixel;
  std::int64_t residual_row;
};

/// The first output of a thread.
struct DepthwisePlace {
  int picture;
  int p;
  int q;
  int channel;
};

/// Windows of Kernel x Kernel that are Stride rows and columns apart, of chunks of 4 or 8 bytes.
///
/// A thread has few channels so that the weights stay in registers as floats, and each window adds
/// its taps in their order, wherever the thread began: what is computed does not depend on the
/// layout.
template <typename T, int Kernel, int Stride>
class DepthwiseRun {
 public:
  /// Channels of a thread: fewer where larger windows have more weights, which stay in registers.
  static constexpr int kWidth = Kernel == 3 && sizeof(T) < sizeof(float) ? 4 : 2;
  /// Neighbouring outputs of a row, which share pixels: as many as registers allow.
  static constexpr int kOutputs = Stride == 1 && Kernel < 7 ? 4 : 2;
  /// Rows of y that a row of x may be added to.
  static constexpr int kInFlight = (Kernel - 1) / Stride + 1;

  __device__ __forceinline__ DepthwiseRun(const DepthwiseArgs& a,
                                          const DepthwiseLayout& layout,
                                          const DepthwisePlace& at,
                                          int rows);

  /// Computes the rows of y.
  __device__ __forceinline__ void compute();

 private:
  /// As words: a load that may not happen then chooses between registers, not between halves.
  struct alignas(sizeof(T) * kWidth) Chunk {
    unsigned words[sizeof(T) * kWidth / sizeof(unsigned)];
  };

  using Elements = Packed<T, kWidth>;

  /// Columns of x below a run's windows.
  static constexpr int kColumns = (kOutputs - 1) * Stride + Kernel;

  __device__ __forceinline__ void load_row(Chunk (&row)[kColumns]);
  __device__ __forceinline__ void add(const Elements& chunk, int row, int column);
  __device__ __forceinline__ void finish_row();
  __device__ __forceinline__ void add_residual(Values<kWidth> (&row)[kOutputs]);

  const DepthwiseArgs& a_;
  const DepthwiseLayout& layout_;
  const int outputs_;  ///< in the row; kOutputs or more but for the last run
  const int left_;     ///< the column of x of the first window's first weight
  const int steps_;    ///< rows of y
  const char* x_;      ///< column left_ of the next row that is loaded
  unsigned row_;       ///< that row's number among those that are loaded
  unsigned rows_;      ///< how many are: those inside x that the rows of y need
  char* y_;            ///< the first output of the next row that is finished
  const char* residual_;
  Values<kWidth> biases_{};
  Range<T> x_range_;
  Range<T> y_range_;
  Values<kWidth> weights_[Kernel][Kernel];
  Chunk ahead_[Stride][kColumns];
  Values<kWidth> sums_[kInFlight][kOutputs]{};
};

/// The first steps only fill the sums in flight: what they add to rows of y before the first is
/// left where it is.
template <typename T, int Kernel, int Stride>
__device__ __forceinline__ DepthwiseRun<T, Kernel, Stride>::DepthwiseRun(
    const DepthwiseArgs& a, const DepthwiseLayout& layout, const DepthwisePlace& at, int rows)
    : a_(a),
      layout_(layout),
      outputs_(a.out_w - at.q),
      left_(at.q * Stride - a.pad_left),
      steps_(rows),
      x_range_(a.input_relu ? Activation{ActivationKind::kRelu} : Activation{}),
      y_range_(at.channel < activated_channels(a) ? a.activation : Activation{}) {
  const int needed = at.p * Stride - a.pad_top;
  const int first = needed < 0 ? 0 : needed;
  const int end = needed + (rows - 1) * Stride + Kernel;
  const int row = needed - (kInFlight * Stride - Kernel);
  const std::int64_t channel_bytes = std::int64_t{at.channel} * static_cast<int>(sizeof(T));
  const std::int64_t y_row = std::int64_t{at.picture} * a.out_h + at.p;
  const int inside = (end < a.h ? end : a.h) - first;
  rows_ = static_cast<unsigned>(inside < 0 ? 0 : inside);
  row_ = static_cast<unsigned>(row - first);
  x_ = static_cast<const char*>(a.x) + channel_bytes + left_ * layout.x_pixel +
       (std::int64_t{at.picture} * a.h + row) * layout.x_row;
  y_ = static_cast<char*>(a.y) + channel_bytes + at.q * layout.y_pixel + y_row * layout.y_row;
  residual_ = static_cast<const char*>(a.residual) + channel_bytes + at.q * layout.residual_pixel +
              y_row * layout.residual_row;
  SIMT_UNROLL
  for (auto& row_ahead : ahead_) load_row(row_ahead);
  const T* weights = static_cast<const T*>(a.weights) + at.channel;
  SIMT_UNROLL
  for (int tap = 0; tap < Kernel * Kernel; ++tap) {
    weights_[tap / Kernel][tap % Kernel] = load_values<kWidth>(weights + std::int64_t{tap} * a.c);
  }
  if (a.bias == nullptr) return;
  SIMT_UNROLL
  for (int i = 0; i < kWidth; ++i) biases_.lane[i] = a.bias[at.channel + i];
}

/// Loads the columns of the next row; zeros where they are not inside.
template <typename T, int Kernel, int Stride>
__device__ __forceinline__ void DepthwiseRun<T, Kernel, Stride>::load_row(Chunk (&row)[kColumns]) {
  const char* x = x_;
  SIMT_UNROLL
  for (int column = 0; column < kColumns; ++column, x += layout_.x_pixel) {
    row[column] = {};
    if (row_ < rows_ && static_cast<unsigned>(left_ + column) < static_cast<unsigned>(a_.w)) {
      row[column] = simt::load<Chunk>(x);
    }
  }
  ++row_;
  x_ += layout_.x_row;
}

/// Adds what a chunk of row `row` of a step has for all windows; row and column are constants once
/// loops are unrolled.
template <typename T, int Kernel, int Stride>
__device__ __forceinline__ void DepthwiseRun<T, Kernel, Stride>::add(const Elements& chunk,
                                                                     int row,
                                                                     int column) {
  const Values<kWidth> value = values_of(chunk);
  SIMT_UNROLL
  for (int j = 0; j < kInFlight; ++j) {
    const int r = Kernel - Stride + row - j * Stride;
    SIMT_UNROLL
    for (int output = 0; output < kOutputs; ++output) {
      const int s = column - output * Stride;
      if (r < 0 || s < 0 || s >= Kernel) continue;
      SIMT_UNROLL
      for (int i = 0; i < kWidth; ++i) {
        sums_[j][output].lane[i] += value.lane[i] * weights_[r][s].lane[i];
      }
    }
  }
}

/// Adds what follows the sums of the first row in flight, and stores it.
template <typename T, int Kernel, int Stride>
__device__ __forceinline__ void DepthwiseRun<T, Kernel, Stride>::finish_row() {
  if (a_.residual != nullptr) add_residual(sums_[0]);
  if (a_.bias != nullptr) {
    SIMT_UNROLL
    for (auto& sums : sums_[0]) {
      SIMT_UNROLL
      for (int i = 0; i < kWidth; ++i) sums.lane[i] += biases_.lane[i];
    }
  }
  Elements outputs[kOutputs];
  SIMT_UNROLL
  for (int output = 0; output < kOutputs; ++output)
    outputs[output] = packed_of<T>(sums_[0][output]);
  if (a_.activation.kind != ActivationKind::kNone) {
    SIMT_UNROLL
    for (auto& output : outputs) output = y_range_.clamp(output);
  }
  char* y = y_;
  SIMT_UNROLL
  for (int output = 0; output < kOutputs; ++output, y += layout_.y_pixel) {
    if (output < outputs_) simt::store(y, outputs[output]);
  }
  y_ += layout_.y_row;
}

template <typename T, int Kernel, int Stride>
__device__ __forceinline__ void DepthwiseRun<T, Kernel, Stride>::add_residual(
    Values<kWidth> (&row)[kOutputs]) {
  const char* residual = residual_;
  SIMT_UNROLL
  for (int output = 0; output < kOutputs; ++output, residual += layout_.residual_pixel) {
    if (output >= outputs_) continue;
    const auto values = values_of(simt::load<Elements>(residual));
    SIMT_UNROLL
    for (int i = 0; i < kWidth; ++i) row[output].lane[i] += values.lane[i];
  }
  residual_ += layout_.residual_row;
}

/// Bounding what was loaded also moves it out of the way of what is loaded next.
template <typename T, int Kernel, int Stride>
__device__ __forceinline__ void DepthwiseRun<T, Kernel, Stride>::compute() {
  SIMT_ROLLED
  for (int step = 1 - kInFlight; step < steps_; ++step) {
    SIMT_UNROLL
    for (int row = 0; row < Stride; ++row) {
      Elements now[kColumns];
      SIMT_UNROLL
      for (int column = 0; column < kColumns; ++column) {
        now[column] = x_range_.at_least(__builtin_bit_cast(Elements, ahead_[row][column]));
      }
      load_row(ahead_[row]);
      SIMT_UNROLL
      for (int column = 0; column < kColumns; ++column) add(now[column], row, column);
    }
    if (step >= 0) finish_row();
    SIMT_UNROLL
    for (int j = 0; j < kInFlight; ++j) {
      SIMT_UNROLL
      for (int output = 0; output < kOutputs; ++output) {
        sums_[j][output] = j + 1 < kInFlight ? sums_[j + 1][output] : Values<kWidth>{};
      }
    }
  }
}

}  // namespace fovea::kernels
