// Which file format a picture's bytes are in, by their first bytes; names and extensions count for
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fovea {

/// The formats that decode() reads.
enum class PictureFormat : std::uint8_t { kJpeg, kPng, kBmp, kWebp, kTiff, kPnm };

/// "JPEG", "PNG", ...
[[nodiscard]] std::string_view to_string(PictureFormat format);

/// Throws Error (image/unsupported-format) for anything else; the message names the format where it
/// is a known one, and says so where the data is empty or text.
[[nodiscard]] PictureFormat detect_format(std::span<const std::byte> bytes);

}  // namespace fovea
