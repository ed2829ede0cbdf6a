// A ragged batch on a device, with the table and the memory that the resizing kernels need.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/backend/cuda/picture_table.h"
#include "engine/core/ragged_batch.h"
#include "kernels/resize.h"
#include "tests/kernels/device_test.h"
#include "tests/support/ragged_batch.h"

namespace fovea::test {

/// The limits that a batch just keeps.
inline cuda::PictureLimits limits_of(const RaggedBatch& batch) {
  cuda::PictureLimits limits{static_cast<std::int64_t>(batch.size()), 1, 1};
  for (std::size_t i = 0; i < batch.table.size(); i += 3) {
    limits.width = std::max(limits.width, static_cast<int>(batch.table[i]));
    limits.height = std::max(limits.height, static_cast<int>(batch.table[i + 1]));
  }
  return limits;
}

/// The table of the batch, not a byte larger than it is.
struct HostTable {
  std::vector<std::byte> bytes;
  std::size_t workspace_bytes = 0;

  HostTable(const PreprocessSpec& spec, const RaggedBatch& batch) {
    const cuda::PictureTableBytes most = cuda::most_picture_table_bytes(spec, limits_of(batch));
    bytes.resize(most.table);
    const cuda::PictureTableBytes used =
        cuda::write_picture_table(spec, batch.table, batch.pixels.size(), bytes);
    EXPECT_LE(used.table, most.table);
    EXPECT_LE(used.workspace, most.workspace);
    bytes.resize(used.table);
    workspace_bytes = used.workspace;
  }
};

/// All buffers have exactly the size that they need.
class DeviceBatch {
 public:
  DeviceBatch(const PreprocessSpec& spec, const RaggedBatch& batch)
      : DeviceBatch(spec, batch, HostTable(spec, batch)) {}

  [[nodiscard]] const kernels::ResizeArgs& args() const { return args_; }

  /// Pixels of the result.
  [[nodiscard]] std::size_t result_pixels() const {
    return static_cast<std::size_t>(args_.n * args_.height * args_.width);
  }

  [[nodiscard]] std::size_t result_bytes() const {
    return result_pixels() * static_cast<std::size_t>(args_.channels);
  }

 private:
  DeviceBatch(const PreprocessSpec& spec, const RaggedBatch& batch, const HostTable& table)
      : pixels_(batch.pixels), table_(table.bytes), workspace_(table.workspace_bytes) {
    args_ = {.pixels = pixels_.data(),
             .table = reinterpret_cast<const kernels::ResizePicture*>(table_.data()),
             .workspace = workspace_.data(),
             .workspace_bytes = table.workspace_bytes,
             .n = static_cast<std::int64_t>(batch.size()),
             .height = spec.height,
             .width = spec.width,
             .channels = pixel_bytes(pixel_format(spec.color))};
  }

  DeviceArray<std::uint8_t> pixels_;
  DeviceArray<std::byte> table_;
  DeviceArray<std::uint8_t> workspace_;
  kernels::ResizeArgs args_;
};

}  // namespace fovea::test
