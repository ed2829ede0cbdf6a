// Convolutions by multiply-adds of float32, for every type and size.
#include "kernels/detail/convolution_problem.h"
#include "kernels/detail/element.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

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

/// Loads the thread's chunks of the windows at the tap, zeros beyond the border.
template <bool Vectors, typename T, int Rows, int Threads>
__device__ __forceinline__ void load_pixels(const ConvolutionProblem& z,
                                            const Window* windows,
                                            const Tap& tap,
                                            Share<T, Rows, Threads>& to) {
  constexpr int kWidth = kWidest<T>;
  SIMT_UNROLL
  for (int i = 0; i < to.kCount; ++i) {
    if constexpr (Vectors) {
      to.chunk[i] = {};
      if (!reads(z, windows[i], tap)) continue;
      to.chunk[i] = simt::load<Packed<T, kWidth>>(static_cast<const T*>(z.args.x) +
                                                  offset_of(z, windows[i], tap));
    } else {
      to.chunk[i] = gather<T, kWidth>(z, windows[i], tap);
    }
  }
}

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

template <typename T, typename Tile, bool Vectors>
__global__ void __launch_bounds__(Tile::kThreads, 512 / Tile::kThreads) convolve_simt(
    const ConvolutionProblem z) {
  using PixelShare = Share<T, Tile::kPixels, Tile::kThreads>;
  using FilterShare = Share<T, Tile::kFilters, Tile::kThreads>;
  SIMT_SHARED(pixels, Transposed<T, Tile::kPixels>[2]);
  SIMT_SHARED(filters, Transposed<T, Tile::kFilters>[2]);

  const ConvolutionPlace place = place_of_block(z, Tile::kPixels, Tile::kFilters);
  Window windows[PixelShare::kCount];
  SIMT_UNROLL
  for (int i = 0; i < PixelShare::kCount; ++i) {
    windows[i] = window_of(z, place.pixel + PixelShare::row(i), place.group);
  }
  Tap tap = tap_at(z, PixelShare::element());

  PixelShare x;
  FilterShare w;
  const auto load = [&](int first) {
    load_pixels<Vectors>(z, windows, tap, x);
    advance(z, tap, kDepth<T>);
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

template <typename T, typename Tile>
cudaError_t launch_tile(const ConvolutionProblem& problem,
                        bool vectors,
                        int blocks,
                        cudaStream_t stream) {
  return simt::launch(vectors ? convolve_simt<T, Tile, true> : convolve_simt<T, Tile, false>,
                      dim3(static_cast<unsigned>(blocks)),
                      dim3(Tile::kThreads),
                      0,
                      stream,
                      problem);
}

}  // namespace

cudaError_t launch_convolution_simt(const ConvolutionProblem& problem,
                                    ConvolutionTile tile,
                                    bool vectors,
                                    int blocks,
                                    cudaStream_t stream) {
  return with_element(problem.args.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    return tile == ConvolutionTile::kSimt128x128
               ? launch_tile<T, SimtTile<128, 128, 8>>(problem, vectors, blocks, stream)
               : launch_tile<T, SimtTile<64, 64, 4>>(problem, vectors, blocks, stream);
  });
}

}  // namespace fovea::kernels
