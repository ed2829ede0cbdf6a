#include "kernels/transpose.h"

#include <algorithm>

#include "kernels/detail/grid.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

constexpr int kMaxRank = static_cast<int>(kMaxTransposeRank);

/// Edge of the square that a block turns; its rows in shared memory are one element longer, so that
/// a column lies in as many banks as a row.
constexpr int kTile = 32;
constexpr int kTileRows = kBlockThreads / kTile;

/// Dimensions below this leave most of a tile empty.
constexpr std::int64_t kSmallestTiled = 8;

struct Dimension {
  std::int64_t size;
  std::int64_t x;  ///< elements between neighbours
  std::int64_t y;
};

/// The dimensions of a copy, innermost of y first.
struct Dimensions {
  Dimension at[kMaxRank];
  int rank;
};

/// One thread per element; neighbouring threads write neighbouring elements.
template <typename T>
__global__ void __launch_bounds__(kBlockThreads) transpose_elements(const T* x,
                                                                    T* y,
                                                                    Dimensions dimensions,
                                                                    std::int64_t items) {
  if (global_thread() >= items) return;
  unsigned rest = static_cast<unsigned>(global_thread());
  SIMT_UNROLL
  for (int d = 0; d < kMaxRank; ++d) {
    if (d >= dimensions.rank) break;
    const auto size = static_cast<unsigned>(dimensions.at[d].size);
    const unsigned index = rest % size;
    rest /= size;
    x += index * dimensions.at[d].x;
    y += index * dimensions.at[d].y;
  }
  simt::store(y, simt::load<T>(x));
}

/// A matrix, or several, whose columns are contiguous in x and whose rows are in y.
struct Matrices {
  Dimension columns;  ///< y is 1
  Dimension rows;     ///< x is 1
  Dimension each;
};

__host__ __device__ constexpr unsigned tiles_along(std::int64_t size) {
  return static_cast<unsigned>((size + kTile - 1) / kTile);
}

/// One block per tile of a matrix.
template <typename T>
__global__ void __launch_bounds__(kTile* kTileRows) transpose_tiles(const T* x, T* y, Matrices m) {
  SIMT_SHARED(tile, T[kTile][kTile + 1]);
  const int lane = static_cast<int>(threadIdx.x);
  const unsigned across = tiles_along(m.columns.size);
  const unsigned down = tiles_along(m.rows.size);
  const std::int64_t first_column = std::int64_t{blockIdx.x % across} * kTile;
  const std::int64_t first_row = std::int64_t{blockIdx.x / across % down} * kTile;
  const std::int64_t matrix = blockIdx.x / across / down;

  x += matrix * m.each.x + first_row + lane;
  for (int i = static_cast<int>(threadIdx.y); i < kTile; i += kTileRows) {
    const std::int64_t column = first_column + i;
    if (column < m.columns.size && first_row + lane < m.rows.size) {
      tile[i][lane] = x[column * m.columns.x];
    }
  }
  __syncthreads();
  y += matrix * m.each.y + first_column + lane;
  for (int i = static_cast<int>(threadIdx.y); i < kTile; i += kTileRows) {
    const std::int64_t row = first_row + i;
    if (row < m.rows.size && first_column + lane < m.columns.size) {
      y[row * m.rows.y] = tile[lane][i];
    }
  }
}

bool in_range(const TransposeArgs& a) {
  if (a.rank < 0 || a.rank > kMaxRank) return false;
  if (a.element_bytes != 1 && a.element_bytes != 2 && a.element_bytes != 4 &&
      a.element_bytes != 8) {
    return false;
  }
  std::int64_t elements = 1;
  for (std::size_t d = 0; d < static_cast<std::size_t>(a.rank); ++d) {
    if (a.sizes[d] < 0 || a.x_strides[d] < 1 || a.y_strides[d] < 1) return false;
    if (a.sizes[d] > 0 && elements > kMaxItems / a.sizes[d]) return false;
    elements *= a.sizes[d];
  }
  return true;
}

/// The dimensions of more than one element, those that follow each other on both sides as one.
Dimensions merged(const TransposeArgs& a) {
  Dimensions result{};
  for (auto d = static_cast<std::size_t>(a.rank); d-- > 0;) {
    const Dimension next{a.sizes[d], a.x_strides[d], a.y_strides[d]};
    if (next.size == 1) continue;
    if (result.rank > 0) {
      Dimension& last = result.at[result.rank - 1];
      if (next.x == last.x * last.size && next.y == last.y * last.size) {
        last.size *= next.size;
        continue;
      }
    }
    result.at[result.rank++] = next;
  }
  if (result.rank == 0) result.at[result.rank++] = {1, 1, 1};
  return result;
}

/// Makes pairs of neighbours one element of twice the bytes, as long as that is possible; returns
/// the bytes.
int widen(Dimensions& dimensions, const TransposeArgs& a) {
  int bytes = a.element_bytes;
  Dimension& inner = dimensions.at[0];
  Dimension* const end = dimensions.at + dimensions.rank;
  const auto in_pairs = [&] {
    const auto wide = static_cast<std::uintptr_t>(bytes) * 2;
    return inner.size % 2 == 0 && aligned_to(a.x, wide) && aligned_to(a.y, wide) &&
           std::all_of(dimensions.at + 1, end, [](const Dimension& outer) {
             return outer.x % 2 == 0 && outer.y % 2 == 0;
           });
  };
  if (inner.x != 1 || inner.y != 1) return bytes;
  for (; bytes < 16 && in_pairs(); bytes *= 2) {
    inner.size /= 2;
    std::for_each(dimensions.at + 1, end, [](Dimension& outer) {
      outer.x /= 2;
      outer.y /= 2;
    });
  }
  return bytes;
}

/// Whether the two inner dimensions change places, and nothing else happens to a picture.
bool is_matrix_transpose(const Dimensions& d) {
  return (d.rank == 2 || d.rank == 3) && d.at[0].y == 1 && d.at[1].x == 1 &&
         std::min(d.at[0].size, d.at[1].size) >= kSmallestTiled;
}

template <typename T>
cudaError_t launch_elements(const TransposeArgs& a, const Dimensions& d, cudaStream_t stream) {
  std::int64_t items = 1;
  for (int i = 0; i < d.rank; ++i) items *= d.at[i].size;
  return launch_items(transpose_elements<T>,
                      items,
                      stream,
                      static_cast<const T*>(a.x),
                      static_cast<T*>(a.y),
                      d,
                      items);
}

template <typename T>
cudaError_t launch_tiles(const TransposeArgs& a, const Dimensions& d, cudaStream_t stream) {
  const Matrices matrices{d.at[0], d.at[1], d.rank == 3 ? d.at[2] : Dimension{1, 0, 0}};
  const unsigned tiles = tiles_along(d.at[0].size) * tiles_along(d.at[1].size) *
                         static_cast<unsigned>(matrices.each.size);
  return simt::launch(transpose_tiles<T>,
                      dim3(tiles),
                      dim3(kTile, kTileRows),
                      0,
                      stream,
                      static_cast<const T*>(a.x),
                      static_cast<T*>(a.y),
                      matrices);
}

template <typename T>
cudaError_t launch(const TransposeArgs& a, const Dimensions& d, cudaStream_t stream) {
  return is_matrix_transpose(d) ? launch_tiles<T>(a, d, stream) : launch_elements<T>(a, d, stream);
}

}  // namespace

cudaError_t transpose(const TransposeArgs& args, cudaStream_t stream) {
  if (!in_range(args)) return cudaErrorInvalidValue;
  const auto* const end = args.sizes.data() + args.rank;
  if (std::find(args.sizes.data(), end, 0) != end) return cudaSuccess;

  Dimensions dimensions = merged(args);
  switch (widen(dimensions, args)) {
    case 1:
      return launch<std::uint8_t>(args, dimensions, stream);
    case 2:
      return launch<std::uint16_t>(args, dimensions, stream);
    case 4:
      return launch<std::uint32_t>(args, dimensions, stream);
    case 8:
      return launch<std::uint64_t>(args, dimensions, stream);
    default:
      return launch_elements<simt::Floats<4>>(args, dimensions, stream);
  }
}

}  // namespace fovea::kernels
