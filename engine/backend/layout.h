// Where a tensor of a plan lies physically.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <fovea/types.h>

namespace fovea {

/// The physical form of a logical tensor. Two layouts are the same place-for-place exactly where
/// they compare equal for one TensorDesc.
struct Layout {
  enum class Kind : std::uint8_t {
    kDense,   ///< row-major, nothing between the elements
    kSliced,  ///< channels-last inside a larger buffer: pixels are `pixel_stride` elements apart
    kOpaque,  ///< a format that only its backend can read
  };

  Kind kind = Kind::kDense;
  std::int64_t pixel_stride = 0;    ///< elements; kSliced only, at least the number of channels
  std::int64_t channel_offset = 0;  ///< elements before the first channel; kSliced only
  std::string format;               ///< the backend's name of the format; kOpaque only
  std::size_t bytes = 0;            ///< of the whole tensor, padding included; kOpaque only

  bool operator==(const Layout&) const = default;

  static Layout sliced(std::int64_t pixel_stride, std::int64_t channel_offset) {
    return {Kind::kSliced, pixel_stride, channel_offset, {}, 0};
  }

  static Layout opaque(std::string format, std::size_t bytes) {
    return {Kind::kOpaque, 0, 0, std::move(format), bytes};
  }
};

/// Bytes of the buffer that a tensor in this layout lies in; for a slice, of the whole larger
/// buffer.
[[nodiscard]] std::size_t buffer_bytes(const TensorDesc& desc, const Layout& layout);

/// "dense", "slice +64/256" or the opaque format's name.
[[nodiscard]] std::string to_string(const Layout& layout);

}  // namespace fovea
