#include "engine/pipeline/decode_png_chunks.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fovea/error.h>

#include "engine/core/require.h"
#include "engine/pipeline/decode_bytes.h"
#include "engine/pipeline/decode_limits.h"

namespace fovea {

namespace {

constexpr std::uint64_t kSignatureBytes = 8;
constexpr std::uint64_t kChunkOverhead = 12;  ///< length, type, checksum
constexpr std::array<std::string_view, 4> kKept{"IHDR", "PLTE", "IDAT", "IEND"};

/// From PNG's third edition, 11.2.2: a chunk's length fits 31 bits.
constexpr std::uint32_t kMaxLength = 0x7FFF'FFFF;

}  // namespace

std::vector<std::byte> checked_png(std::span<const std::byte> bytes, const DecodeLimits& limits) {
  const ByteReader file(bytes, "PNG", std::endian::big);
  if (file.tag(kSignatureBytes + 4) != "IHDR") {
    throw Error(ErrorCode::kImageCorrupt, "PNG does not begin with its header chunk");
  }
  check_picture_size("PNG", file.u32(kSignatureBytes + 8), file.u32(kSignatureBytes + 12), limits);

  std::vector<std::byte> kept(bytes.begin(), bytes.begin() + kSignatureBytes);
  kept.reserve(bytes.size());
  std::string_view type;
  for (std::uint64_t at = kSignatureBytes; type != "IEND";) {
    const std::uint32_t length = file.u32(at);
    type = file.tag(at + 4);
    if (length > kMaxLength) {
      throw Error(ErrorCode::kImageCorrupt, cat("PNG has a chunk of ", length, " bytes"));
    }
    const auto chunk = file.slice(at, length + kChunkOverhead);
    if (std::ranges::find(kKept, type) != kKept.end()) {
      kept.insert(kept.end(), chunk.begin(), chunk.end());
    }
    at += chunk.size();
  }
  return kept;
}

}  // namespace fovea
