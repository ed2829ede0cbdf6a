// The pixels' side of a convolution's product, as it is read from pictures in memory.
//
// A block's kernel is the same whatever its rows of pixels are made of. Its problem says what they
// are: a struct with everything of ConvolutionProblem and
//   Pixels<T, Rows, Step>   what one thread has of them: a chunk of 16 bytes of each of Rows rows
//                           that are Step apart, at the same place in the depth
//     Pixels(problem, place, row, element)   row of the tile and element of the depth: the first
//     advance(elements)                      moves on in the depth
//     load(chunks)                           the chunks; zeros outside x and beyond the depth
//     kInMemory                              a chunk lies in memory as it is: at(i) says where
#pragma once

#include "kernels/detail/convolution_problem.h"
#include "kernels/detail/convolution_window.h"
#include "kernels/detail/element.h"

namespace fovea::kernels {

/// An element of a filter: row and column of the window, and a channel of the group.
struct Tap {
  int row;
  int col;
  int channel;
};

__device__ __forceinline__ Tap tap_at(const ConvolutionProblem& z, int element) {
  const int pixel = element / z.group_channels;
  return {pixel / z.args.kernel_w, pixel % z.args.kernel_w, element % z.group_channels};
}

/// Moves on by `elements` >= 0.
__device__ __forceinline__ void advance(const ConvolutionProblem& z, Tap& tap, int elements) {
  tap.channel += elements;
  while (tap.channel >= z.group_channels) {
    tap.channel -= z.group_channels;
    if (++tap.col < z.args.kernel_w) continue;
    tap.col = 0;
    ++tap.row;
  }
}

/// Whether the tap is one of the filter's and reads an element of x.
__device__ __forceinline__ bool reads(const ConvolutionProblem& z, const Window& at, Tap tap) {
  // Farther on, rows may not fit an int.
  return tap.row < z.args.kernel_h && is_inside(z.args, at, tap.row, tap.col);
}

/// Where the tap reads, in elements from x.
__device__ __forceinline__ std::int64_t offset_of(const ConvolutionProblem& z,
                                                  const Window& at,
                                                  Tap tap) {
  return offset_of(z.args, at, tap.row, tap.col) + tap.channel;
}

/// The windows of a thread's rows, at one tap.
template <int Rows, int Step>
struct TapOfRows {
  __device__ __forceinline__ TapOfRows(const ConvolutionProblem& problem,
                                       const ConvolutionPlace& place,
                                       int row,
                                       int element)
      : z(problem), tap(tap_at(problem, element)) {
    SIMT_UNROLL
    for (int i = 0; i < Rows; ++i) {
      windows[i] = window_of(z.args, z.pixels, place.pixel + row + i * Step);
      windows[i].start += static_cast<std::int64_t>(place.group) * z.group_channels;
    }
  }

  const ConvolutionProblem& z;
  Window windows[Rows];
  Tap tap;
};

/// Elements that need not be neighbours, nor aligned.
template <typename T, int Rows, int Step>
class ElementPixels {
 public:
  static constexpr bool kInMemory = false;

  __device__ __forceinline__ ElementPixels(const ConvolutionProblem& z,
                                           const ConvolutionPlace& place,
                                           int row,
                                           int element)
      : at_(z, place, row, element) {}

  __device__ __forceinline__ void advance(int elements) {
    kernels::advance(at_.z, at_.tap, elements);
  }

  __device__ __forceinline__ void load(Packed<T, kWidest<T>> (&chunks)[Rows]) const {
    SIMT_UNROLL
    for (int i = 0; i < Rows; ++i) {
      Tap tap = at_.tap;
      SIMT_UNROLL
      for (int e = 0; e < kWidest<T>; ++e) {
        chunks[i].lane[e] = element(at_.windows[i], tap);
        kernels::advance(at_.z, tap, 1);
      }
    }
  }

 private:
  [[nodiscard]] __device__ __forceinline__ T element(const Window& at, Tap tap) const {
    if (!reads(at_.z, at, tap)) return from_float<T>(0.0F);
    return static_cast<const T*>(at_.z.args.x)[offset_of(at_.z, at, tap)];
  }

  TapOfRows<Rows, Step> at_;
};

/// 16 bytes at a time: channels of a group are a multiple of them, and so are all addresses.
template <typename T, int Rows, int Step>
class VectorPixels {
 public:
  static constexpr bool kInMemory = true;

  /// A chunk; where it is not inside, it is zeros, and the address means nothing.
  struct Place {
    const T* address;
    bool inside;
  };

  __device__ __forceinline__ VectorPixels(const ConvolutionProblem& z,
                                          const ConvolutionPlace& place,
                                          int row,
                                          int element)
      : at_(z, place, row, element) {}

  __device__ __forceinline__ void advance(int elements) {
    kernels::advance(at_.z, at_.tap, elements);
  }

  [[nodiscard]] __device__ __forceinline__ Place at(int i) const {
    const T* x = static_cast<const T*>(at_.z.args.x);
    const bool inside = reads(at_.z, at_.windows[i], at_.tap);
    return {x + (inside ? offset_of(at_.z, at_.windows[i], at_.tap) : 0), inside};
  }

  __device__ __forceinline__ void load(Packed<T, kWidest<T>> (&chunks)[Rows]) const {
    SIMT_UNROLL
    for (int i = 0; i < Rows; ++i) {
      const Place place = at(i);
      chunks[i] = {};
      if (place.inside) chunks[i] = simt::load<Packed<T, kWidest<T>>>(place.address);
    }
  }

 private:
  TapOfRows<Rows, Step> at_;
};

struct ElementProblem : ConvolutionProblem {
  template <typename T, int Rows, int Step>
  using Pixels = ElementPixels<T, Rows, Step>;
};

struct VectorProblem : ConvolutionProblem {
  template <typename T, int Rows, int Step>
  using Pixels = VectorPixels<T, Rows, Step>;
};

}  // namespace fovea::kernels
