// Bytes of pictures to a network's input.
#pragma once

#include <array>
#include <cstdint>

#include <cuda_runtime_api.h>

#include "kernels/element.h"

namespace fovea::kernels {

/// Source and target of normalize().
struct NormalizeArgs {
  const std::uint8_t* x = nullptr;           ///< device, dense [pixels][channels]
  ElementType type = ElementType::kFloat32;  ///< of y
  void* y = nullptr;           ///< device, dense [pixels][out_channels]; must not overlap x
  std::int64_t pixels = 0;     ///< of all pictures together, 0 to 2^31 - 1
  int channels = 3;            ///< 1 or 3
  int out_channels = 3;        ///< at least `channels`; the others are zero
  bool swap_red_blue = false;  ///< only where channels is 3
  float divisor = 1.0F;
  std::array<float, 3> mean{};
  std::array<float, 3> scale{1.0F, 1.0F, 1.0F};
};

/// y[p][c] = ((x[p][swap_red_blue ? 2 - c : c] / divisor) - mean[c]) / scale[c] in float32, rounded
/// after every step, so that every bit is that of NumPy; other types round that result once.
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue if a size is out of range.
[[nodiscard]] cudaError_t normalize(const NormalizeArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
