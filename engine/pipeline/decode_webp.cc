#include "engine/pipeline/decode_webp.h"

#include <cstdint>
#include <string_view>

#include <fovea/error.h>

#include "engine/core/require.h"
#include "engine/pipeline/decode_bytes.h"
#include "engine/pipeline/decode_limits.h"

namespace fovea {

namespace {

struct Size {
  std::uint32_t width;
  std::uint32_t height;
};

constexpr std::uint64_t kRiffSizeAt = 4;
constexpr std::uint64_t kFirstChunkAt = 12;
constexpr std::uint64_t kDataAt = 20;  ///< of the first chunk

/// The frame header of VP8: three bytes, a start code, then 14 bits each.
Size lossy_size(const ByteReader& file) {
  return {file.u16(kDataAt + 6) & 0x3FFFU, file.u16(kDataAt + 8) & 0x3FFFU};
}

/// VP8L: a signature byte, then 14 bits each, less one.
Size lossless_size(const ByteReader& file) {
  const std::uint32_t bits = file.u32(kDataAt + 1);
  return {(bits & 0x3FFFU) + 1, (bits >> 14U & 0x3FFFU) + 1};
}

/// VP8X: flags, then the canvas in 24 bits each, less one. The decoder refuses a picture that does
/// not fill its canvas.
Size extended_size(const ByteReader& file) {
  constexpr std::uint8_t kAnimation = 0x02;
  if ((file.u8(kDataAt) & kAnimation) != 0) {
    throw Error(ErrorCode::kImageUnsupportedFormat,
                "WebP with an animation; save the picture that you want alone");
  }
  const auto u24 = [&file](std::uint64_t at) {
    return file.u16(at) | static_cast<std::uint32_t>(file.u8(at + 2)) << 16U;
  };
  return {u24(kDataAt + 4) + 1, u24(kDataAt + 7) + 1};
}

}  // namespace

void check_webp(std::span<const std::byte> bytes, const DecodeLimits& limits) {
  const ByteReader file(bytes, "WebP", std::endian::little);
  (void)file.slice(kRiffSizeAt + 4, file.u32(kRiffSizeAt));
  const std::string_view chunk = file.tag(kFirstChunkAt);
  Size size{};
  if (chunk == "VP8 ") {
    size = lossy_size(file);
  } else if (chunk == "VP8L") {
    size = lossless_size(file);
  } else if (chunk == "VP8X") {
    size = extended_size(file);
  } else {
    throw Error(ErrorCode::kImageCorrupt, "WebP does not begin with a picture");
  }
  check_picture_size("WebP", size.width, size.height, limits);
}

}  // namespace fovea
