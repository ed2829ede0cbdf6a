#include "engine/pipeline/decode_limits.h"

#include "engine/core/require.h"

namespace fovea {

void check_picture_size(std::string_view format,
                        std::int64_t width,
                        std::int64_t height,
                        const DecodeLimits& limits) {
  const auto fail = [&](ErrorCode code, const std::string& rule) {
    throw Error(code, cat("the ", format, " picture is ", width, " x ", height, " pixels; ", rule));
  };
  if (width < 1 || height < 1) fail(ErrorCode::kImageCorrupt, "both sides must be at least 1");
  if (width > limits.max_side || height > limits.max_side) {
    fail(ErrorCode::kImageTooLarge, cat("a side may have ", limits.max_side));
  }
  // Cannot overflow: both sides are within an int here.
  if (width * height > limits.max_pixels) {
    fail(ErrorCode::kImageTooLarge, cat("a picture may have ", limits.max_pixels));
  }
}

}  // namespace fovea
