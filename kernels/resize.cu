#include "kernels/resize.h"

#include <limits>

#include "kernels/detail/grid.h"
#include "kernels/detail/normalize_pixel.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

static_assert(kResizeTile == kBlockThreads);

/// Blocks of the first pass, which walk over the tiles: eight a multiprocessor on the largest
/// devices.
constexpr std::int64_t kFirstPassBlocks = 1'216;

template <int Channels>
struct Pixel {
  std::uint8_t channel[Channels];
};

/// From one pixel to the next, as offsets into pictures are computed.
template <int Channels>
constexpr std::int64_t kPixelBytes = Channels;

/// The taps of one position of an axis.
struct Taps {
  std::int32_t first;
  std::int32_t count;
  const std::int32_t* weights;  ///< `positions` apart
  std::int32_t positions;
};

__device__ __forceinline__ Taps taps_of(const ResizePicture* table,
                                        const ResizeAxis& axis,
                                        int position) {
  const std::int32_t* words = reinterpret_cast<const std::int32_t*>(table) + axis.words + position;
  const std::int64_t positions = axis.positions;
  return {words[0], words[positions], words + 2 * positions, axis.positions};
}

/// The weighted sum of count pixels from `from` on, `step` bytes apart, rounded and cut to bytes.
/// The sum fits: weights are less than two in sum of magnitudes.
template <int Channels>
__device__ __forceinline__ Pixel<Channels> filtered(const std::uint8_t* from,
                                                    std::int64_t step,
                                                    Taps taps) {
  std::int32_t sum[Channels];
  SIMT_UNROLL
  for (int c = 0; c < Channels; ++c) sum[c] = 1 << (kResizeBits - 1);
  for (int tap = 0; tap < taps.count; ++tap) {
    const std::int32_t weight = *taps.weights;
    SIMT_UNROLL
    for (int c = 0; c < Channels; ++c) sum[c] += from[c] * weight;
    from += step;
    taps.weights += taps.positions;
  }
  Pixel<Channels> pixel;
  SIMT_UNROLL
  for (int c = 0; c < Channels; ++c) {
    const std::int32_t value = sum[c] >> kResizeBits;
    pixel.channel[c] = static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
  }
  return pixel;
}

/// The last picture whose first tile is not behind `tile`: the one that the tile belongs to, since
/// pictures without tiles share their first one with the next.
__device__ __forceinline__ std::int64_t picture_of(const ResizePicture* table,
                                                   std::int64_t n,
                                                   std::int64_t tile) {
  std::int64_t low = 0;
  std::int64_t high = n;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    if (table[middle].first_tile <= tile) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

/// One thread per pixel between the passes; a block takes every gridDim-th tile of the batch, so
/// that it does not matter which picture is how large.
template <int Channels>
__global__ void __launch_bounds__(kBlockThreads) resize_first_pass(ResizeArgs a) {
  const std::int64_t tiles = a.table[a.n - 1].first_tile + a.table[a.n - 1].tiles;
  for (std::int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const ResizePicture& picture = a.table[picture_of(a.table, a.n, tile)];
    const std::int64_t start = (tile - picture.first_tile) * kResizeTile;
    const int item = static_cast<int>(start) + static_cast<int>(threadIdx.x);
    if (item >= picture.between_width * picture.between_height) continue;
    const int x = item % picture.between_width;
    const int y = item / picture.between_width;

    const std::int64_t row_bytes = picture.width * kPixelBytes<Channels>;
    const std::uint8_t* from = a.pixels + picture.pixels;
    Pixel<Channels> pixel;
    if (picture.vertical_first != 0) {
      const Taps taps = taps_of(a.table, picture.rows, y);
      from += taps.first * row_bytes + (picture.origin + x) * kPixelBytes<Channels>;
      pixel = filtered<Channels>(from, row_bytes, taps);
    } else {
      const Taps taps = taps_of(a.table, picture.columns, x);
      from += (picture.origin + y) * row_bytes + taps.first * kPixelBytes<Channels>;
      pixel = filtered<Channels>(from, Channels, taps);
    }
    std::uint8_t* to = a.workspace + picture.between + item * kPixelBytes<Channels>;
    SIMT_UNROLL
    for (int c = 0; c < Channels; ++c) to[c] = pixel.channel[c];
  }
}

/// The pixel of a picture without a first pass: the one tap of the axis that would have had it
/// says where the other axis starts. Zero where there is no such tap.
template <int Channels>
__device__ __forceinline__ Pixel<Channels> gathered(const ResizeArgs& a,
                                                    const ResizePicture& picture,
                                                    int x,
                                                    int y) {
  const Taps columns = taps_of(a.table, picture.columns, x);
  const Taps rows = taps_of(a.table, picture.rows, y);
  if (columns.count == 0 || rows.count == 0) return {};
  const std::int64_t row_bytes = picture.width * kPixelBytes<Channels>;
  const std::uint8_t* from =
      a.pixels + picture.pixels + rows.first * row_bytes + columns.first * kPixelBytes<Channels>;
  const bool down = picture.vertical_first == 0;
  return filtered<Channels>(from, down ? row_bytes : Channels, down ? rows : columns);
}

/// The pixel of a picture whose first pass is done.
template <int Channels>
__device__ __forceinline__ Pixel<Channels> second_pass(const ResizeArgs& a,
                                                       const ResizePicture& picture,
                                                       int x,
                                                       int y) {
  const std::int64_t row_bytes = picture.between_width * kPixelBytes<Channels>;
  const std::uint8_t* from = a.workspace + picture.between;
  if (picture.vertical_first != 0) {
    const Taps taps = taps_of(a.table, picture.columns, x);
    from += y * row_bytes + (taps.first - picture.origin) * kPixelBytes<Channels>;
    return filtered<Channels>(from, Channels, taps);
  }
  const Taps taps = taps_of(a.table, picture.rows, y);
  from += (taps.first - picture.origin) * row_bytes + x * kPixelBytes<Channels>;
  return filtered<Channels>(from, row_bytes, taps);
}

/// Stores the bytes themselves.
struct ToBytes {
  std::uint8_t* y;

  template <int Channels>
  __device__ __forceinline__ void store(std::int64_t pixel, const Pixel<Channels>& value) const {
    std::uint8_t* to = y + pixel * Channels;
    SIMT_UNROLL
    for (int c = 0; c < Channels; ++c) to[c] = value.channel[c];
  }
};

/// Stores elements of type T.
template <typename T>
struct ToElements {
  T* y;
  PixelNormalization normalization;

  template <int Channels>
  __device__ __forceinline__ void store(std::int64_t pixel, const Pixel<Channels>& value) const {
    store_normalized(value.channel, normalization, y + pixel * normalization.out_channels);
  }
};

/// One thread per pixel of the result; a picture takes `tiles` blocks.
template <int Channels, typename Store>
__global__ void __launch_bounds__(kBlockThreads) resize_last_pass(ResizeArgs a,
                                                                  int tiles,
                                                                  Store store) {
  const int index = static_cast<int>(blockIdx.x) / tiles;
  const int tile = static_cast<int>(blockIdx.x) % tiles;
  const int item = tile * kBlockThreads + static_cast<int>(threadIdx.x);
  const int pixels = a.height * a.width;
  if (item >= pixels) return;
  const int x = item % a.width;
  const int y = item / a.width;
  const ResizePicture& picture = a.table[index];
  const std::int64_t pixel = std::int64_t{index} * pixels + item;
  store.store(pixel,
              picture.between_width == 0 ? gathered<Channels>(a, picture, x, y)
                                         : second_pass<Channels>(a, picture, x, y));
}

template <int Channels, typename Store>
cudaError_t launch_passes(const ResizeArgs& a,
                          std::int64_t tiles,
                          const Store& store,
                          cudaStream_t stream) {
  if (a.workspace_bytes != 0) {
    // About as many as there can be tiles; the blocks walk over all of them in any case.
    const std::size_t most = (a.workspace_bytes + kResizeTile - 1) / kResizeTile;
    const auto blocks = static_cast<unsigned>(
        most < static_cast<std::size_t>(kFirstPassBlocks) ? most : kFirstPassBlocks);
    const cudaError_t status =
        simt::launch(resize_first_pass<Channels>, dim3(blocks), dim3(kBlockThreads), 0, stream, a);
    if (status != cudaSuccess) return status;
  }
  return simt::launch(resize_last_pass<Channels, Store>,
                      dim3(static_cast<unsigned>(a.n * tiles)),
                      dim3(kBlockThreads),
                      0,
                      stream,
                      a,
                      static_cast<int>(tiles),
                      store);
}

template <typename Store>
cudaError_t launch_resize(const ResizeArgs& a, const Store& store, cudaStream_t stream) {
  if (a.n < 0 || a.height < 1 || a.height > kMostResizeSide || a.width < 1 ||
      a.width > kMostResizeSide || (a.channels != 1 && a.channels != 3)) {
    return cudaErrorInvalidValue;
  }
  const std::int64_t pixels = std::int64_t{a.height} * a.width;
  const std::int64_t tiles = (pixels + kBlockThreads - 1) / kBlockThreads;
  if (a.n > kMaxItems / tiles) return cudaErrorInvalidValue;
  if (a.n == 0) return cudaSuccess;
  return a.channels == 3 ? launch_passes<3>(a, tiles, store, stream)
                         : launch_passes<1>(a, tiles, store, stream);
}

}  // namespace

cudaError_t resize(const ResizeArgs& args, std::uint8_t* y, cudaStream_t stream) {
  return launch_resize(args, ToBytes{y}, stream);
}

cudaError_t resize_normalize(const ResizeArgs& args,
                             const ResizeNormalizeArgs& normalize,
                             cudaStream_t stream) {
  if (normalize.out_channels < args.channels || (args.channels != 1 && args.channels != 3)) {
    return cudaErrorInvalidValue;
  }
  const PixelNormalization normalization = pixel_normalization(args.channels,
                                                               normalize.y,
                                                               normalize.type,
                                                               normalize.out_channels,
                                                               normalize.swap_red_blue,
                                                               normalize.divisor,
                                                               normalize.mean,
                                                               normalize.scale);
  return with_element(normalize.type, [&]<typename T>(std::type_identity<T> /*element*/) {
    return launch_resize(args, ToElements<T>{static_cast<T*>(normalize.y), normalization}, stream);
  });
}

}  // namespace fovea::kernels
