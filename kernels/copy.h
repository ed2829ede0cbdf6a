// Strided copies: between a channel slice of a larger buffer and a dense tensor, either way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include <cuda_runtime_api.h>

namespace fovea::kernels {

/// dst[r][b] = src[r][b] for b < row_bytes.
///
/// src, dst                device; rows `src_stride` and `dst_stride` bytes apart; no byte of dst
///                         is one of src
/// src_stride, dst_stride  >= row_bytes
/// rows, row_bytes         >= 0; nothing is launched where one is 0
/// stream                  where the work is enqueued; the call does not wait
/// most_moves              of one launch, in [1, 2^31)
///
/// Moves 16, 4 or 1 bytes at a time, whatever addresses and sizes are all multiples of; more than
/// `most_moves` take several launches. Returns the launch error, cudaErrorInvalidValue for a size
/// that is out of range or for a row of more moves than that.
[[nodiscard]] cudaError_t copy_rows(const std::byte* src,
                                    std::int64_t src_stride,
                                    std::byte* dst,
                                    std::int64_t dst_stride,
                                    std::int64_t rows,
                                    std::int64_t row_bytes,
                                    cudaStream_t stream,
                                    int most_moves = std::numeric_limits<int>::max());

}  // namespace fovea::kernels
