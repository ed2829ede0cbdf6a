// Reordering of a tensor's dimensions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <cuda_runtime_api.h>

namespace fovea::kernels {

inline constexpr std::size_t kMaxTransposeRank = 8;

/// A tensor in two orders: y's dimensions, and how far neighbours along each of them are apart on
/// either side. Either side may be a channel slice.
struct TransposeArgs {
  const void* x = nullptr;                              ///< device
  void* y = nullptr;                                    ///< device; must not overlap x
  int element_bytes = 4;                                ///< 1, 2, 4 or 8; addresses are multiples
  int rank = 0;                                         ///< 0 to kMaxTransposeRank
  std::array<std::int64_t, kMaxTransposeRank> sizes{};  ///< >= 0; nothing is launched for 0
  std::array<std::int64_t, kMaxTransposeRank> x_strides{};  ///< elements, >= 1
  std::array<std::int64_t, kMaxTransposeRank>
      y_strides{};  ///< elements, >= 1; no two elements meet
};

/// y[sum_d i[d] * y_strides[d]] = x[sum_d i[d] * x_strides[d]] for all i[d] < sizes[d], bit for
/// bit.
///
/// Where the last two dimensions change places, as between channels-last and channels-first, and
/// both have 8 elements or more, reads and writes both move whole segments, by way of shared
/// memory. Otherwise the writes do, in units of up to 16 bytes where the last dimension stays the
/// last. The floor is one read of x and one write of y.
///
/// Does not wait. Returns the launch error, cudaErrorInvalidValue if a size is out of range or
/// there are 2^31 elements or more.
[[nodiscard]] cudaError_t transpose(const TransposeArgs& args, cudaStream_t stream);

}  // namespace fovea::kernels
