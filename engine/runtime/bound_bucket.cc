#include "engine/runtime/bound_bucket.h"

#include <algorithm>

#include "engine/backend/capture.h"
#include "engine/runtime/bind_steps.h"

namespace fovea {

BoundBucket::BoundBucket(const BucketPlan& bucket,
                         const DeviceAddresses& addresses,
                         std::byte* workspace,
                         Stream& stream)
    : steps_(bind_steps(bucket, addresses, workspace, stream)) {
  if (!stream.captures()) return;
  replay_ = captured(stream, [&] {
    for (const BoundStep& step : steps_) step.enqueue(stream);
  });
}

void BoundBucket::enqueue(Stream& stream) const {
  if (replay_ != nullptr) {
    stream.replay(*replay_);
  } else {
    for (const BoundStep& step : steps_) step.enqueue(stream);
  }
}

void repeat_last_row(
    Stream& stream, std::byte* rows, std::size_t row_bytes, std::int64_t n, std::int64_t batch) {
  std::byte* const last = rows + static_cast<std::size_t>(n - 1) * row_bytes;
  const auto wanted = static_cast<std::size_t>(batch - n + 1) * row_bytes;
  for (std::size_t there = row_bytes; there < wanted;) {
    const std::size_t more = std::min(there, wanted - there);
    stream.copy(last + there, last, more);
    there += more;
  }
}

}  // namespace fovea
