#include "kernels/copy.h"

#include <algorithm>

#include "kernels/detail/grid.h"
#include "kernels/simt/simt.h"

namespace fovea::kernels {

namespace {

/// Rows in bytes; `row_items` moves of sizeof(T) bytes each.
struct Rows {
  const std::byte* src;
  std::int64_t src_stride;
  std::byte* dst;
  std::int64_t dst_stride;
  std::int64_t items;
  int row_items;
};

/// One thread per move; neighbouring threads move neighbouring bytes of a row.
template <typename T>
__global__ void __launch_bounds__(kBlockThreads) copy_items(Rows rows) {
  if (global_thread() >= rows.items) return;
  const int item = static_cast<int>(global_thread());
  const std::int64_t row = item / rows.row_items;
  const std::int64_t byte = item % rows.row_items * static_cast<std::int64_t>(sizeof(T));
  simt::store(rows.dst + row * rows.dst_stride + byte,
              simt::load<T>(rows.src + row * rows.src_stride + byte));
}

template <typename T>
cudaError_t launch_copy(Rows rows,
                        std::int64_t count,
                        std::int64_t row_bytes,
                        std::int64_t most_items,
                        cudaStream_t stream) {
  const std::int64_t row_items = row_bytes / static_cast<std::int64_t>(sizeof(T));
  if (row_items > most_items) return cudaErrorInvalidValue;
  rows.row_items = static_cast<int>(row_items);
  const std::int64_t most = most_items / row_items;  // rows of a launch
  const Rows whole = rows;
  cudaError_t status = cudaSuccess;
  for (std::int64_t row = 0; row < count && status == cudaSuccess; row += most) {
    rows.src = whole.src + row * whole.src_stride;
    rows.dst = whole.dst + row * whole.dst_stride;
    rows.items = std::min(count - row, most) * row_items;
    status = launch_items(copy_items<T>, rows.items, stream, rows);
  }
  return status;
}

}  // namespace

cudaError_t copy_rows(const std::byte* src,
                      std::int64_t src_stride,
                      std::byte* dst,
                      std::int64_t dst_stride,
                      std::int64_t rows,
                      std::int64_t row_bytes,
                      cudaStream_t stream,
                      int most_moves) {
  if (rows < 0 || row_bytes < 0 || src_stride < row_bytes || dst_stride < row_bytes ||
      most_moves < 1) {
    return cudaErrorInvalidValue;
  }
  if (rows == 0 || row_bytes == 0) return cudaSuccess;

  const Rows work{src, src_stride, dst, dst_stride, 0, 0};
  const auto all_multiples_of = [&](std::int64_t bytes) {
    return aligned_to(src, static_cast<std::uintptr_t>(bytes)) &&
           aligned_to(dst, static_cast<std::uintptr_t>(bytes)) && src_stride % bytes == 0 &&
           dst_stride % bytes == 0 && row_bytes % bytes == 0;
  };
  const auto copy = [&](auto launch) { return launch(work, rows, row_bytes, most_moves, stream); };
  if (all_multiples_of(16)) return copy(launch_copy<simt::Floats<4>>);
  if (all_multiples_of(4)) return copy(launch_copy<std::uint32_t>);
  return copy(launch_copy<std::uint8_t>);
}

}  // namespace fovea::kernels
