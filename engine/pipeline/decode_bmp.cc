#include "engine/pipeline/decode_bmp.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <fovea/error.h>

#include "engine/core/require.h"
#include "engine/pipeline/decode_bytes.h"
#include "engine/pipeline/decode_limits.h"

namespace fovea {

namespace {

// Positions in the file: 14 bytes of file header, then the bitmap header.
constexpr std::uint64_t kPixelsAt = 10;
constexpr std::uint64_t kHeaderSizeAt = 14;
constexpr std::uint64_t kWidthAt = 18;
constexpr std::uint64_t kHeightAt = 22;
constexpr std::uint64_t kBitsAt = 28;
constexpr std::uint64_t kCompressionAt = 30;
constexpr std::uint64_t kColorsAt = 46;
constexpr std::uint64_t kMasksAt = 54;

// Compressions.
constexpr std::uint32_t kPlain = 0;
constexpr std::uint32_t kBitFields = 3;

[[noreturn]] void unsupported(const std::string& what) {
  throw Error(ErrorCode::kImageUnsupportedFormat,
              cat("BMP with ", what, "; save it as PNG or as a 24-bit BMP"));
}

void check_layout(const ByteReader& file) {
  // BITMAPINFOHEADER and its successors.
  constexpr std::array<std::uint32_t, 5> kHeaders{40, 52, 56, 108, 124};
  const std::uint32_t header = file.u32(kHeaderSizeAt);
  if (std::ranges::find(kHeaders, header) == kHeaders.end()) {
    unsupported(cat("a header of ", header, " bytes"));
  }
  constexpr std::array<std::uint16_t, 5> kDepths{1, 4, 8, 24, 32};
  const std::uint16_t bits = file.u16(kBitsAt);
  if (std::ranges::find(kDepths, bits) == kDepths.end()) unsupported(cat(bits, " bits a pixel"));
  const std::uint32_t compression = file.u32(kCompressionAt);
  if (compression == kBitFields && bits == 32) {
    const bool bgr = file.u32(kMasksAt) == 0xFF0000U && file.u32(kMasksAt + 4) == 0xFF00U &&
                     file.u32(kMasksAt + 8) == 0xFFU;
    if (!bgr) unsupported("channels in another order than blue, green, red");
  } else if (compression != kPlain) {
    unsupported(cat("compression ", compression));
  }
  if (bits <= 8 && file.u32(kColorsAt) > 1U << bits) {
    throw Error(
        ErrorCode::kImageCorrupt,
        cat("BMP has a palette of ", file.u32(kColorsAt), " colours for ", bits, " bits a pixel"));
  }
}

}  // namespace

void check_bmp(std::span<const std::byte> bytes, const DecodeLimits& limits) {
  const ByteReader file(bytes, "BMP", std::endian::little);
  check_layout(file);
  const std::int64_t width = file.i32(kWidthAt);
  // Negative: the rows go from top to bottom.
  const std::int64_t height = std::abs(static_cast<std::int64_t>(file.i32(kHeightAt)));
  check_picture_size("BMP", width, height, limits);
  const std::int64_t row_bytes = (width * file.u16(kBitsAt) + 31) / 32 * 4;
  (void)file.slice(file.u32(kPixelsAt), static_cast<std::uint64_t>(row_bytes * height));
}

}  // namespace fovea
