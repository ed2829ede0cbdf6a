#include "engine/runtime/encoded_inputs.h"

#include <algorithm>

namespace fovea {

EncodedInputs::EncodedInputs(const ExecutionPlan& plan) {
  for (const TensorSize& size : tensor_sizes(plan.inputs)) {
    const std::size_t input = rooms_.size();
    Room& room = rooms_.emplace_back(Room{size, {}, nullptr});
    std::size_t bytes = 0;
    for (const BucketPlan& bucket : plan.buckets) {
      if (!bucket.encoders[input]) continue;
      room.rows.resize(std::max(room.rows.size(), size.bytes(bucket.batch)));
      bytes = std::max(bytes, bucket.slots[bucket.inputs[input]].layout.bytes);
    }
    if (bytes != 0) room.encoded = plan.backend->allocate_host(bytes);
  }
}

std::span<const std::byte> EncodedInputs::encode(const BucketPlan& bucket,
                                                 std::size_t input,
                                                 std::span<const std::byte> dense) {
  Room& room = rooms_[input];
  const std::span<std::byte> rows = std::span(room.rows).first(room.size.bytes(bucket.batch));
  std::ranges::copy(dense, rows.begin());
  for (std::size_t end = dense.size(); end < rows.size(); end += room.size.row_bytes) {
    std::ranges::copy(dense.last(room.size.row_bytes),
                      rows.begin() + static_cast<std::ptrdiff_t>(end));
  }
  const std::size_t room_bytes = bucket.slots[bucket.inputs[input]].layout.bytes;
  return {room.encoded.get(), bucket.encoders[input](rows, {room.encoded.get(), room_bytes})};
}

}  // namespace fovea
