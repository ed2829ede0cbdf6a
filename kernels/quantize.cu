#include "kernels/quantize.h"

#include <type_traits>

#include "kernels/detail/grid.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// Integers that are moved by one access.
template <typename Q, int Width>
struct alignas(sizeof(Q) * Width) Integers {
  Q lane[Width];
};

/// Walks along the elements and knows whose grid each is on.
struct GridWalk {
  int channel;
  int within;  ///< elements of this channel since it began

  __device__ __forceinline__ GridWalk(const QuantizationGrid& grid, int element)
      : channel(static_cast<int>(element / grid.inner % grid.channels)),
        within(static_cast<int>(element % grid.inner)) {}

  __device__ __forceinline__ void step(const QuantizationGrid& grid) {
    if (++within < grid.inner) return;
    within = 0;
    if (++channel == grid.channels) channel = 0;
  }
};

template <typename Q>
__device__ __forceinline__ Q zero_point_of(const QuantizationGrid& grid, int channel) {
  return grid.zero_point == nullptr ? Q{0} : static_cast<const Q*>(grid.zero_point)[channel];
}

/// In float32 all the way: where a sum has more bits than that, it is saturated anyway.
template <typename Q>
__device__ __forceinline__ Q place(float x, float scale, Q zero_point) {
  constexpr float kLowest = std::is_signed_v<Q> ? -128.0F : 0.0F;
  constexpr float kHighest = std::is_signed_v<Q> ? 127.0F : 255.0F;
  const float steps = __fdiv_rn(x, scale);
  if (steps != steps) return zero_point;
  const float y = rintf(steps) + static_cast<float>(zero_point);
  return static_cast<Q>(static_cast<int>(y < kLowest ? kLowest : y > kHighest ? kHighest : y));
}

/// Exact but for the last rounding, for integers of 8 bits.
template <typename Q>
__device__ __forceinline__ float product(Q x, Q zero_point, float scale) {
  return static_cast<float>(x - zero_point) * scale;
}

/// The product has up to 57 bits, so a double rounds it before float32 does. Its last bit is then
/// made odd in the direction of what was lost, which leaves the second rounding as if it were
/// alone. Source: Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums", IEEE TC 57
/// (2008).
__device__ __forceinline__ float product(std::int32_t x, std::int32_t zero_point, float scale) {
  const auto factor = static_cast<double>(static_cast<std::int64_t>(x) - zero_point);
  const double rounded = factor * static_cast<double>(scale);
  const double lost = fma(factor, static_cast<double>(scale), -rounded);
  long long bits = __double_as_longlong(rounded);
  // NaN where the product is no number.
  const bool inexact = lost < 0.0 || lost > 0.0;
  if (inexact && (bits & 1) == 0) bits += (lost > 0.0) == (rounded > 0.0) ? 1 : -1;
  return static_cast<float>(__longlong_as_double(bits));
}

/// One thread per Width elements.
template <typename Q, int Width>
__global__ void __launch_bounds__(kBlockThreads) quantize_elements(const float* x,
                                                                   Q* y,
                                                                   QuantizationGrid grid,
                                                                   std::int64_t items) {
  if (global_thread() >= items) return;
  const int first = static_cast<int>(global_thread()) * Width;
  const auto from = simt::load<simt::Floats<Width>>(x + first);
  GridWalk at(grid, first);
  Integers<Q, Width> to;
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) {
    to.lane[i] = place(from.lane[i], grid.scale[at.channel], zero_point_of<Q>(grid, at.channel));
    at.step(grid);
  }
  simt::store(y + first, to);
}

/// One thread per Width elements.
template <typename Q, int Width>
__global__ void __launch_bounds__(kBlockThreads) dequantize_elements(const Q* x,
                                                                     float* y,
                                                                     QuantizationGrid grid,
                                                                     std::int64_t items) {
  if (global_thread() >= items) return;
  const int first = static_cast<int>(global_thread()) * Width;
  const auto from = simt::load<Integers<Q, Width>>(x + first);
  GridWalk at(grid, first);
  simt::Floats<Width> to;
  SIMT_UNROLL
  for (int i = 0; i < Width; ++i) {
    to.lane[i] = product(from.lane[i], zero_point_of<Q>(grid, at.channel), grid.scale[at.channel]);
    at.step(grid);
  }
  simt::store(y + first, to);
}

bool in_range(const QuantizationGrid& grid, std::int64_t count) {
  return count >= 0 && count <= kMaxItems && grid.channels >= 1 && grid.channels <= kMaxItems &&
         grid.inner >= 1 && grid.inner <= kMaxItems;
}

/// Elements that a thread takes.
template <typename Q>
int width_for(const float* floats, const void* integers, std::int64_t count) {
  return count % 4 == 0 && aligned_to(floats, 16) && aligned_to(integers, sizeof(Q) * 4) ? 4 : 1;
}

template <typename Q>
cudaError_t launch_quantize(const float* x,
                            void* y,
                            const QuantizationGrid& grid,
                            std::int64_t count,
                            cudaStream_t stream) {
  const int width = width_for<Q>(x, y, count);
  return launch_items(width == 4 ? quantize_elements<Q, 4> : quantize_elements<Q, 1>,
                      count / width,
                      stream,
                      x,
                      static_cast<Q*>(y),
                      grid,
                      count / width);
}

template <typename Q>
cudaError_t launch_dequantize(const void* x,
                              float* y,
                              const QuantizationGrid& grid,
                              std::int64_t count,
                              cudaStream_t stream) {
  const int width = width_for<Q>(y, x, count);
  return launch_items(width == 4 ? dequantize_elements<Q, 4> : dequantize_elements<Q, 1>,
                      count / width,
                      stream,
                      static_cast<const Q*>(x),
                      y,
                      grid,
                      count / width);
}

}  // namespace

cudaError_t quantize(const float* x,
                     void* y,
                     const QuantizationGrid& grid,
                     std::int64_t count,
                     cudaStream_t stream) {
  if (!in_range(grid, count) || grid.type == IntegerType::kInt32) return cudaErrorInvalidValue;
  if (count == 0) return cudaSuccess;
  return grid.type == IntegerType::kInt8 ? launch_quantize<std::int8_t>(x, y, grid, count, stream)
                                         : launch_quantize<std::uint8_t>(x, y, grid, count, stream);
}

cudaError_t dequantize(const void* x,
                       float* y,
                       const QuantizationGrid& grid,
                       std::int64_t count,
                       cudaStream_t stream) {
  if (!in_range(grid, count)) return cudaErrorInvalidValue;
  if (count == 0) return cudaSuccess;
  switch (grid.type) {
    case IntegerType::kInt8:
      return launch_dequantize<std::int8_t>(x, y, grid, count, stream);
    case IntegerType::kUInt8:
      return launch_dequantize<std::uint8_t>(x, y, grid, count, stream);
    case IntegerType::kInt32:
      return launch_dequantize<std::int32_t>(x, y, grid, count, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace fovea::kernels
