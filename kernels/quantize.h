// Real numbers to integers on a grid and back.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace fovea::kernels {

enum class IntegerType : std::uint8_t { kInt8, kUInt8, kInt32 };

/// How the grids lie over a tensor: element i is on grid i / inner % channels.
struct QuantizationGrid {
  IntegerType type = IntegerType::kUInt8;  ///< of the integers and their zero points
  const float* scale = nullptr;            ///< device, dense [channels]
  const void* zero_point = nullptr;        ///< device, dense [channels]; null for zeros
  std::int64_t channels = 1;               ///< >= 1
  std::int64_t inner = 1;                  ///< >= 1
};

/// y[i] = saturate(round(x[i] / scale) + zero_point): the quotient rounded once to float32, then to
/// the nearest integer, the even one of two; NaN to the zero point.
///
/// x        device, dense float32 [count]
/// y        device, dense, kInt8 or kUInt8 [count]; must not overlap x
/// count    0 to 2^31 - 1; nothing is launched for 0
/// stream   where the work is enqueued; the call does not wait
///
/// The floor is one read of x and one write of y.
/// Returns the launch error, cudaErrorInvalidValue for a type or a size that is out of range.
[[nodiscard]] cudaError_t quantize(
    const float* x, void* y, const QuantizationGrid& grid, std::int64_t count, cudaStream_t stream);

/// y[i] = (x[i] - zero_point) * scale, the difference exact, the product rounded once to float32.
///
/// x of any IntegerType, y float32; otherwise as quantize().
[[nodiscard]] cudaError_t dequantize(
    const void* x, float* y, const QuantizationGrid& grid, std::int64_t count, cudaStream_t stream);

}  // namespace fovea::kernels
