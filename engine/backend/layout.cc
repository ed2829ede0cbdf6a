#include "engine/backend/layout.h"

#include "engine/core/require.h"

namespace fovea {

std::size_t buffer_bytes(const TensorDesc& desc, const Layout& layout) {
  switch (layout.kind) {
    case Layout::Kind::kOpaque:
      return layout.bytes;
    case Layout::Kind::kSliced: {
      const std::int64_t channels = desc.shape.back();
      require(layout.pixel_stride >= layout.channel_offset + channels,
              "a channel slice must lie inside its pixel");
      const auto pixels = static_cast<std::size_t>(num_elements(desc.shape) / channels);
      return pixels * static_cast<std::size_t>(layout.pixel_stride) * element_size(desc.dtype);
    }
    case Layout::Kind::kDense:
      break;
  }
  return byte_size(desc);
}

std::string to_string(const Layout& layout) {
  switch (layout.kind) {
    case Layout::Kind::kOpaque:
      return layout.format;
    case Layout::Kind::kSliced:
      return cat("slice +", layout.channel_offset, '/', layout.pixel_stride);
    case Layout::Kind::kDense:
      break;
  }
  return "dense";
}

}  // namespace fovea
