// Convolutions by tensor cores, whatever their rows of pixels are made of.
#pragma once

#include "kernels/detail/convolution_pixels.h"
#include "kernels/detail/convolution_problem.h"
#include "kernels/detail/element.h"
#include "kernels/detail/reduce.h"
#include "kernels/simt/async_copy.h"
#include "kernels/simt/simt.h"
#include "kernels/simt/tensor_core.h"

namespace fovea::kernels::mma {

/// What one product of the tensor cores multiplies: rows of A, rows of B, and 32 bytes of each.
constexpr int kProductPixels = 16;
constexpr int kProductFilters = 8;

/// A chunk is 16 bytes, what one copy moves. A stage holds four chunks of every row, two products
/// deep.
constexpr int kChunkBytes = 16;
constexpr int kChunks = 4;
constexpr int kProductChunks = 2;

/// A block's tile, divided among WarpRows x WarpColumns warps. While one stage is multiplied, the
/// others are being copied. Registers are shared out among Blocks blocks of a multiprocessor.
template <int Pixels, int Filters, int WarpRows, int WarpColumns, int Stages, int Blocks>
struct MmaTile {
  static constexpr int kPixels = Pixels;
  static constexpr int kFilters = Filters;
  static constexpr int kWarpColumns = WarpColumns;
  static constexpr int kThreads = WarpRows * WarpColumns * kWarp;
  static constexpr int kWarpPixels = Pixels / WarpRows;
  static constexpr int kWarpFilters = Filters / WarpColumns;
  static constexpr int kStages = Stages;
  static constexpr int kBlocks = Blocks;
};

/// Rows of one side of the product, of kChunks chunks. Two rows fill all banks; chunks change their
/// places from every second row to the next, so that the same chunk of eight rows lies in all
/// banks.
template <int Rows>
struct Swizzled {
  std::byte bytes[Rows * kChunks * kChunkBytes];

  __device__ __forceinline__ std::byte* at(int row, int chunk) {
    return bytes + (row * kChunks + (chunk ^ (row / 2 % kChunks))) * kChunkBytes;
  }
};

template <typename Tile>
struct Stage {
  Swizzled<Tile::kPixels> pixels;
  Swizzled<Tile::kFilters> filters;
};

/// Sums of one warp, for a product's pixels and all of its filters, on their way from the layout of
/// the products to rows. The floats beyond the filters keep the lanes' stores apart.
template <typename Tile>
struct Turned {
  float at[kProductPixels][Tile::kWarpFilters + 8];
};

/// The stages are needed until the last product, what follows after it.
template <typename Tile>
constexpr int kSharedBytes = static_cast<int>(
    sizeof(Stage<Tile>) * Tile::kStages > sizeof(Turned<Tile>) * (Tile::kThreads / kWarp)
        ? sizeof(Stage<Tile>) * Tile::kStages
        : sizeof(Turned<Tile>) * (Tile::kThreads / kWarp));

/// The chunks of a stage that a thread copies: one of each of its rows.
template <typename T, typename Tile, typename Problem>
class Copier {
 public:
  __device__ __forceinline__ Copier(const Problem& z, const ConvolutionPlace& place)
      : z_(z),
        chunk_(static_cast<int>(threadIdx.x) % kChunks),
        element_(chunk_ * kElements),
        pixels_(z, place, row(0), element_) {
    filters_left_ = z.group_filters - place.filter - row(0);
    const std::int64_t filter =
        static_cast<std::int64_t>(place.group) * z.group_filters + place.filter + row(0);
    weights_ = static_cast<const T*>(z.args.weights) + filter * z.packed_depth;
  }

  /// Copies the next part of the depth.
  __device__ __forceinline__ void copy(Stage<Tile>& stage) {
    if constexpr (Pixels::kInMemory) {
      SIMT_UNROLL
      for (int i = 0; i < kPixelRows; ++i) {
        const auto from = pixels_.at(i);
        simt::copy_async(stage.pixels.at(row(i), chunk_), from.address, from.inside);
      }
    } else {
      Packed<T, kElements> chunks[kPixelRows];
      pixels_.load(chunks);
      SIMT_UNROLL
      for (int i = 0; i < kPixelRows; ++i) simt::store(stage.pixels.at(row(i), chunk_), chunks[i]);
    }
    copy_filters(stage);
    element_ += kChunks * kElements;
    pixels_.advance(kChunks * kElements);
  }

 private:
  static constexpr int kElements = kWidest<T>;
  static constexpr int kStep = Tile::kThreads / kChunks;
  static constexpr int kPixelRows = Tile::kPixels / kStep;
  static constexpr int kFilterRows = Tile::kFilters / kStep;
  using Pixels = typename Problem::template Pixels<T, kPixelRows, kStep>;

  __device__ __forceinline__ static int row(int i) {
    return static_cast<int>(threadIdx.x) / kChunks + i * kStep;
  }

  __device__ __forceinline__ void copy_filters(Stage<Tile>& stage) const {
    SIMT_UNROLL
    for (int i = 0; i < kFilterRows; ++i) {
      const bool inside = i * kStep < filters_left_ && element_ < z_.packed_depth;
      const T* w = weights_ + static_cast<std::int64_t>(i) * kStep * z_.packed_depth + element_;
      simt::copy_async(stage.filters.at(row(i), chunk_),
                       inside ? w : static_cast<const T*>(z_.args.weights),
                       inside);
    }
  }

  const ConvolutionProblem& z_;
  int chunk_;
  int element_;
  Pixels pixels_;
  const T* weights_;  ///< of the thread's first filter
  int filters_left_;  ///< from the thread's first filter to the group's end
};

/// Four registers of operands as the products want them.
template <typename T>
__device__ __forceinline__ void load_operands(unsigned (&words)[4], const std::byte* row) {
  simt::load_matrices(words, row);
  if constexpr (std::is_same_v<T, float>) {
    SIMT_UNROLL
    for (int i = 0; i < 4; ++i) words[i] = simt::to_tf32(__uint_as_float(words[i]));
  }
}

template <typename Tile>
struct Sums {
  static constexpr int kRows = Tile::kWarpPixels / kProductPixels;
  static constexpr int kColumns = Tile::kWarpFilters / kProductFilters;
  static_assert(kColumns % 2 == 0, "operands of two products' filters are loaded at once");
  float at[kRows][kColumns][4];
};

/// Adds the product of a whole stage to the sums of the warp whose first pixel and filter these
/// are.
template <typename T, typename Tile>
__device__ __forceinline__ void multiply(Stage<Tile>& stage,
                                         int warp_pixel,
                                         int warp_filter,
                                         Sums<Tile>& sums) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int matrix = lane / 8;  // of the four that the lane gives an address for a row of
  SIMT_UNROLL
  for (int chunk = 0; chunk < kChunks; chunk += kProductChunks) {
    unsigned filters[Sums<Tile>::kColumns][2];
    SIMT_UNROLL
    for (int j = 0; j < Sums<Tile>::kColumns; j += 2) {
      // Both chunks of eight filters, then those of the next eight.
      const int row = warp_filter + j * kProductFilters + lane % 8 + matrix / 2 * 8;
      unsigned words[4];
      load_operands<T>(words, stage.filters.at(row, chunk + matrix % 2));
      SIMT_UNROLL
      for (int i = 0; i < 4; ++i) filters[j + i / 2][i % 2] = words[i];
    }
    SIMT_UNROLL
    for (int i = 0; i < Sums<Tile>::kRows; ++i) {
      // The first chunk of sixteen pixels, then the second.
      const int row = warp_pixel + i * kProductPixels + lane % 8 + matrix % 2 * 8;
      unsigned pixels[4];
      load_operands<T>(pixels, stage.pixels.at(row, chunk + matrix / 2));
      SIMT_UNROLL
      for (int j = 0; j < Sums<Tile>::kColumns; ++j)
        simt::mma<T>(sums.at[i][j], pixels, filters[j]);
    }
  }
}

/// Finishes the sums of a warp, a product's pixels at a time.
template <typename T, typename Tile>
__device__ __forceinline__ void finish_warp(const ConvolutionProblem& z,
                                            const ConvolutionPlace& place,
                                            Turned<Tile>& turned,
                                            int warp_pixel,
                                            int warp_filter,
                                            const Sums<Tile>& sums) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  constexpr int kPieces = Tile::kWarpFilters / kFinished;
  SIMT_UNROLL
  for (int i = 0; i < Sums<Tile>::kRows; ++i) {
    __syncwarp();
    SIMT_UNROLL
    for (int j = 0; j < Sums<Tile>::kColumns; ++j) {
      SIMT_UNROLL
      for (int half = 0; half < 2; ++half) {
        const float* pair = sums.at[i][j] + half * 2;
        simt::store(&turned.at[lane / 4 + half * 8][j * kProductFilters + lane % 4 * 2],
                    simt::Floats<2>{{pair[0], pair[1]}});
      }
    }
    __syncwarp();
    // Not unrolled: what finishes a piece is long.
    for (int item = 0; item < kProductPixels * kPieces; item += kWarp) {
      const int row = (item + lane) / kPieces;
      const int column = (item + lane) % kPieces * kFinished;
      finish_sums<T>(z,
                     place.group,
                     place.pixel + warp_pixel + i * kProductPixels + row,
                     place.filter + warp_filter + column,
                     load_values<kFinished>(&turned.at[row][column]));
    }
  }
}

template <typename T, typename Tile, typename Problem>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks) convolve_mma(const Problem z) {
  if (!simt::kTensorCores) {
    simt::refuse_device();
    return;
  }
  SIMT_SHARED(memory, std::byte[kSharedBytes<Tile>]);
  Stage<Tile>* const stages = reinterpret_cast<Stage<Tile>*>(&memory[0]);
  const ConvolutionPlace place = place_of_block(z, Tile::kPixels, Tile::kFilters);
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int warp_pixel = warp / Tile::kWarpColumns * Tile::kWarpPixels;
  const int warp_filter = warp % Tile::kWarpColumns * Tile::kWarpFilters;

  constexpr int kStep = kChunks * kWidest<T>;
  const int steps = (z.depth + kStep - 1) / kStep;
  Copier<T, Tile, Problem> copier(z, place);
  SIMT_UNROLL
  for (int stage = 0; stage < Tile::kStages - 1; ++stage) {
    if (stage < steps) copier.copy(stages[stage]);
    simt::commit_copies();
  }
  Sums<Tile> sums = {};
  int present = 0;
  for (int step = 0; step < steps; ++step) {
    simt::wait_copies<Tile::kStages - 2>();
    // Everybody's copies are there, and everybody has left the stage before, which is copied next.
    __syncthreads();
    const int ahead = present == 0 ? Tile::kStages - 1 : present - 1;
    if (step + Tile::kStages - 1 < steps) copier.copy(stages[ahead]);
    simt::commit_copies();
    multiply<T>(stages[present], warp_pixel, warp_filter, sums);
    present = present + 1 == Tile::kStages ? 0 : present + 1;
  }
  __syncthreads();
  finish_warp<T>(
      z, place, reinterpret_cast<Turned<Tile>*>(&memory[0])[warp], warp_pixel, warp_filter, sums);
}

/// One block per tile.
template <typename T, typename Tile, typename Problem>
cudaError_t launch(const Problem& problem, int blocks, cudaStream_t stream) {
  return simt::launch(convolve_mma<T, Tile, Problem>,
                      dim3(static_cast<unsigned>(blocks)),
                      dim3(Tile::kThreads),
                      0,
                      stream,
                      problem);
}

}  // namespace fovea::kernels::mma
