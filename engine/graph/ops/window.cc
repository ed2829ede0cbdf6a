#include "engine/graph/ops/window.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "engine/core/require.h"

namespace fovea {

namespace {

/// Products and sums of a few numbers in this range cannot overflow 64 bits.
void check_range(std::int64_t value, std::int64_t least, std::string_view what) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (value < least || value > kMost) {
    throw InvalidArgument(
        cat("a window's ", what, " is ", value, ", but must be from ", least, " to ", kMost));
  }
}

/// A window without dilation on one side of a padded picture.
void check_window(std::int64_t size,
                  std::int64_t before,
                  std::int64_t after,
                  std::int64_t kernel,
                  std::int64_t stride) {
  check_range(size, 1, "picture side");
  check_range(before, 0, "padding");
  check_range(after, 0, "padding");
  check_range(kernel, 1, "kernel");
  check_range(stride, 1, "stride");
}

}  // namespace

std::int64_t window_positions(std::int64_t size,
                              std::int64_t before,
                              std::int64_t after,
                              std::int64_t kernel,
                              std::int64_t stride,
                              std::int64_t dilation) {
  check_window(size, before, after, kernel, stride);
  check_range(dilation, 1, "dilation");
  const std::int64_t room = size + before + after - (kernel - 1) * dilation - 1;
  return room < 0 ? 0 : room / stride + 1;
}

std::array<std::int64_t, 2> same_padding(std::int64_t size,
                                         std::int64_t kernel,
                                         std::int64_t stride,
                                         std::int64_t dilation) {
  check_range(size, 1, "picture side");
  check_range(kernel, 1, "kernel");
  check_range(stride, 1, "stride");
  check_range(dilation, 1, "dilation");
  // The last of ceil(size / stride) windows starts at (size - 1) - (size - 1) % stride.
  const std::int64_t total =
      std::max<std::int64_t>(0, (kernel - 1) * dilation - (size - 1) % stride);
  return {total / 2, total - total / 2};
}

std::int64_t ceil_mode_padding(std::int64_t size,
                               std::int64_t before,
                               std::int64_t after,
                               std::int64_t kernel,
                               std::int64_t stride) {
  check_window(size, before, after, kernel, stride);
  const std::int64_t room = size + before + after - kernel;
  if (room <= -stride) return after;
  const std::int64_t fitting = (room + stride - 1) / stride + 1;
  const std::int64_t starting_inside = (size + before - 1) / stride + 1;
  const std::int64_t last_start = (std::min(fitting, starting_inside) - 1) * stride;
  return std::max<std::int64_t>(0, last_start + kernel - size - before);
}

Taps taps_inside(std::int64_t size,
                 std::int64_t start,
                 std::int64_t kernel,
                 std::int64_t dilation) {
  const std::int64_t begin = start < 0 ? (-start + dilation - 1) / dilation : 0;
  const std::int64_t end = start < size ? (size - 1 - start) / dilation + 1 : 0;
  return {std::min(begin, kernel), std::min(end, kernel)};
}

}  // namespace fovea
