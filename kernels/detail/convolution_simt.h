// Convolutions by multiply-adds of float32, whatever their rows of pixels are made of.
#pragma once

#include "kernels/detail/convolution_pixels.h"
#include "kernels/detail/convolution_problem.h"
#include "kernels/detail/element.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels::multiply_adds {

/// Chunks of 16 bytes of every row that a block multiplies between two barriers, and their
/// elements.
constexpr int kChunks = 2;

template <typename T>
constexpr int kDepth = kChunks * kWidest<T>;

/// Filters that a thread reads and finishes at once, and pixels likewise.
constexpr int kPiece = kFinished;

/// A block's tile; every thread has 8 pixels and ThreadFilters filters of it, in pieces of 4 spread
/// out so that the threads of a warp read neighbouring words.
template <int Pixels, int Filters, int ThreadFilters>
struct SimtTile {
  static constexpr int kPixels = Pixels;
  static constexpr int kFilters = Filters;
  static constexpr int kPixelPieces = 2;
  static constexpr int kFilterPieces = ThreadFilters / kPiece;
  static constexpr int kColumns = Filters / ThreadFilters;
  static constexpr int kThreads = Pixels / (kPixelPieces * kPiece) * kColumns;
};

/// Shared memory of one side of the product, transposed. Rows are a multiple of 16 bytes; the four
/// floats beyond them keep the threads apart that store the two chunks of a row.
template <typename T, int Rows>
struct Transposed {
  float at[kDepth<T>][Rows + 4];
};

/// What a thread loads of one side: a chunk of each of kCount rows.
template <typename T, int Rows, int Threads>
struct Share {
  static constexpr int kWidth = kWidest<T>;
  static constexpr int kStep = Threads / kChunks;  ///< from one of the thread's rows to the next
  static constexpr int kCount = Rows / kStep;
  static_assert(Rows % kStep == 0);

  Packed<T, kWidth> chunk[kCount];

  __device__ __forceinline__ static int row(int i) {
    return static_cast<int>(threadIdx.x) / kChunks + i * kStep;
  }

  __device__ __forceinline__ static int element() {
    return static_cast<int>(threadIdx.x) % kChunks * kWidth;
  }

  __device__ __forceinline__ void store(Transposed<T, Rows>& to, bool relu) const {
    SIMT_UNROLL
    for (int i = 0; i < kCount; ++i) {
      SIMT_UNROLL
      for (int e = 0; e < kWidth; ++e) {
        const float value = to_float(chunk[i].lane[e]);
        to.at[element() + e][row(i)] = relu && value <= 0.0F ? 0.0F : value;
      }
    }
  }
};

/// Loads the thread's chunks of the filters from element `first` of their rows on, zeros beyond the
/// last filter and the last element.
template <typename T, int Rows, int Threads>
__device__ __forceinline__ void load_filters(const ConvolutionProblem& z,
                                             const ConvolutionPlace& place,
                                             int first,
                                             Share<T, Rows, Threads>& to) {
  const int element = first + to.element();
  SIMT_UNROLL
  for (int i = 0; i < to.kCount; ++i) {
    const int filter = place.filter + to.row(i);
    to.chunk[i] = {};
    if (filter >= z.group_filters || element >= z.packed_depth) continue;
    const std::int64_t row = static_cast<std::int64_t>(place.group) * z.group_filters + filter;
    to.chunk[i] = simt::load<Packed<T, kWidest<T>>>(static_cast<const T*>(z.args.weights) +
                                                    row * z.packed_depth + element);
  }
}

/// A thread's part of the product.
template <typename T, typename Tile>
struct ThreadSums {
  static constexpr int kPixelGap = Tile::kPixels / Tile::kPixelPieces;
  static constexpr int kFilterGap = Tile::kFilters / Tile::kFilterPieces;
  using Piece = simt::Floats<kPiece>;

  float at[Tile::kPixelPieces][kPiece][Tile::kFilterPieces][kPiece];

  /// Of its first piece in the tile.
  __device__ __forceinline__ static int pixel() {
    return static_cast<int>(threadIdx.x) / Tile::kColumns * kPiece;
  }

  __device__ __forceinline__ static int filter() {
    return static_cast<int>(threadIdx.x) % Tile::kColumns * kPiece;
  }

  /// Adds the products of one element of the rows' depth.
  __device__ __forceinline__ void add(const float* pixels, const float* filters) {
    Piece value[Tile::kPixelPieces];
    Piece weight[Tile::kFilterPieces];
    SIMT_UNROLL
    for (int i = 0; i < Tile::kPixelPieces; ++i) {
      value[i] = simt::load<Piece>(&pixels[pixel() + i * kPixelGap]);
    }
    SIMT_UNROLL
    for (int j = 0; j < Tile::kFilterPieces; ++j) {
      weight[j] = simt::load<Piece>(&filters[filter() + j * kFilterGap]);
    }
    SIMT_UNROLL
    for (int i = 0; i < Tile::kPixelPieces * kPiece; ++i) {
      SIMT_UNROLL
      for (int j = 0; j < Tile::kFilterPieces * kPiece; ++j) {
        at[i / kPiece][i % kPiece][j / kPiece][j % kPiece] +=
            value[i / kPiece].lane[i % kPiece] * weight[j / kPiece].lane[j % kPiece];
      }
    }
  }

  /// Finishes the sums and writes them.
  __device__ __forceinline__ void finish(const ConvolutionProblem& z,
                                         const ConvolutionPlace& place) const {
    SIMT_UNROLL
    for (int i = 0; i < Tile::kPixelPieces * kPiece; ++i) {
      const int row = place.pixel + pixel() + i / kPiece * kPixelGap + i % kPiece;
      SIMT_UNROLL
      for (int j = 0; j < Tile::kFilterPieces; ++j) {
        Values<kFinished> mine;
        SIMT_UNROLL
        for (int e = 0; e < kFinished; ++e) mine.lane[e] = at[i / kPiece][i % kPiece][j][e];
        finish_sums<T>(z, place.group, row, place.filter + filter() + j * kFilterGap, mine);
      }
    }
  }
};

template <typename T, typename Tile, typename Problem>
__global__ void __launch_bounds__(Tile::kThreads, 512 / Tile::kThreads) convolve_simt(
    const Problem z) {
  using PixelShare = Share<T, Tile::kPixels, Tile::kThreads>;
  using FilterShare = Share<T, Tile::kFilters, Tile::kThreads>;
  SIMT_SHARED(pixels, Transposed<T, Tile::kPixels>[2]);
  SIMT_SHARED(filters, Transposed<T, Tile::kFilters>[2]);

  const ConvolutionPlace place = place_of_block(z, Tile::kPixels, Tile::kFilters);
  typename Problem::template Pixels<T, PixelShare::kCount, PixelShare::kStep> rows(
      z, place, PixelShare::row(0), PixelShare::element());

  PixelShare x;
  FilterShare w;
  const auto load = [&](int first) {
    rows.load(x.chunk);
    rows.advance(kDepth<T>);
    load_filters(z, place, first, w);
  };
  ThreadSums<T, Tile> sums{};

  load(0);
  int buffer = 0;
  for (int first = 0; first < z.depth; first += kDepth<T>) {
    x.store(pixels[buffer], z.args.input_relu);
    w.store(filters[buffer], false);
    // The other buffer is written next: everybody has left it when everybody is here.
    __syncthreads();
    if (first + kDepth<T> < z.depth) load(first + kDepth<T>);
    SIMT_UNROLL
    for (int k = 0; k < kDepth<T>; ++k) sums.add(pixels[buffer].at[k], filters[buffer].at[k]);
    buffer ^= 1;
  }
  sums.finish(z, place);
}

/// One block per tile.
template <typename T, typename Tile, typename Problem>
cudaError_t launch(const Problem& problem, int blocks, cudaStream_t stream) {
  return simt::launch(convolve_simt<T, Tile, Problem>,
                      dim3(static_cast<unsigned>(blocks)),
                      dim3(Tile::kThreads),
                      0,
                      stream,
                      problem);
}

}  // namespace fovea::kernels::multiply_adds
