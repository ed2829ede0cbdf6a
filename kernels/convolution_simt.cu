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

template <typename T, typename Tile, bool Vectors>
__global__ void __launch_bounds__(Tile::kThreads, 512 / Tile::kThreads) convolve_simt(
    const ConvolutionProblem z) {
  using PixelShare = Share<T, Tile::kPixels, Tile::kThreads>;
  using FilterShare = Share<T, Tile::kFilters, Tile::kThreads>;
  constexpr int kWidth = kWidest<T>;
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
    SIMT_UNROLL
    for (int i = 0; i < PixelShare::kCount; ++i) {
      if constexpr (Vectors) {
        x.chunk[i] = {};
        if (reads(z, windows[i], tap)) {
          x.chunk[i] = simt::load<Packed<T, kWidth>>(static_cast<const T*>(z.args.x) +
                                                     offset_of(z, windows[i], tap));
        }
      } else {
        x.chunk[i] = gather<T, kWidth>(z, windows[i], tap);
      }
    }
    advance(z, tap, kDepth<T>);
    const int element = first + FilterShare::element();
    SIMT_UNROLL
    for (int i = 0; i < FilterShare::kCount; ++i) {
      const int filter = place.filter + FilterShare::row(i);
      w.chunk[i] = {};
      if (filter < z.group_filters && element < z.packed_depth) {
        const std::int64_t row = static_cast<std::int64_t>(place.group) * z.group_filters + filter;
        w.chunk[i] = simt::load<Packed<T, kWidth>>(static_cast<const T*>(z.args.weights) +
                                                   row * z.packed_depth + element);
      }
    }
  };

  const int thread_pixel = static_cast<int>(threadIdx.x) / Tile::kColumns * kPiece;
  const int thread_filter = static_cast<int>(threadIdx.x) % Tile::kColumns * kPiece;
  constexpr int kPixelGap = Tile::kPixels / Tile::kPixelPieces;
  constexpr int kFilterGap = Tile::kFilters / Tile::kFilterPieces;
  float sums[Tile::kPixelPieces][kPiece][Tile::kFilterPieces][kPiece] = {};

  load(0);
  int buffer = 0;
  for (int first = 0; first < z.depth; first += kDepth<T>) {
    x.store(pixels[buffer], z.args.input_relu);
    w.store(filters[buffer], false);
    // The other buffer is written next: everybody has left it when everybody is here.
    __syncthreads();
    if (first + kDepth<T> < z.depth) load(first + kDepth<T>);
    SIMT_UNROLL
    for (int k = 0; k < kDepth<T>; ++k) {
      simt::Floats<kPiece> value[Tile::kPixelPieces];
      simt::Floats<kPiece> weight[Tile::kFilterPieces];
      SIMT_UNROLL
      for (int i = 0; i < Tile::kPixelPieces; ++i) {
        value[i] =
            simt::load<simt::Floats<kPiece>>(&pixels[buffer].at[k][thread_pixel + i * kPixelGap]);
      }
      SIMT_UNROLL
      for (int j = 0; j < Tile::kFilterPieces; ++j) {
        weight[j] = simt::load<simt::Floats<kPiece>>(
            &filters[buffer].at[k][thread_filter + j * kFilterGap]);
      }
      SIMT_UNROLL
      for (int i = 0; i < Tile::kPixelPieces * kPiece; ++i) {
        SIMT_UNROLL
        for (int j = 0; j < Tile::kFilterPieces * kPiece; ++j) {
          sums[i / kPiece][i % kPiece][j / kPiece][j % kPiece] +=
              value[i / kPiece].lane[i % kPiece] * weight[j / kPiece].lane[j % kPiece];
        }
      }
    }
    buffer ^= 1;
  }

  SIMT_UNROLL
  for (int i = 0; i < Tile::kPixelPieces * kPiece; ++i) {
    const int pixel = place.pixel + thread_pixel + i / kPiece * kPixelGap + i % kPiece;
    SIMT_UNROLL
    for (int j = 0; j < Tile::kFilterPieces; ++j) {
      Values<kFinished> mine;
      SIMT_UNROLL
      for (int e = 0; e < kFinished; ++e) mine.lane[e] = sums[i / kPiece][i % kPiece][j][e];
      const int filter = place.filter + thread_filter + j * kFilterGap;
      finish_sums<T>(z, place.group, pixel, filter, mine);
    }
  }
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
