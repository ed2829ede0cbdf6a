// From a file's bytes to pixels: one place that knows all formats.
#include <filesystem>
#include <system_error>
#include <utility>

#include <fovea/error.h>
#include <fovea/image.h>

#include "engine/core/file.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/pipeline/decode_bmp.h"
#include "engine/pipeline/decode_color.h"
#include "engine/pipeline/decode_format.h"
#include "engine/pipeline/decode_jpeg.h"
#include "engine/pipeline/decode_module.h"
#include "engine/pipeline/decode_png.h"
#include "engine/pipeline/decode_pnm.h"
#include "engine/pipeline/decode_tiff.h"
#include "engine/pipeline/decode_webp.h"

namespace fovea {

namespace {

/// A picture of 50 megapixels and 16 bits a channel, uncompressed, and some more.
constexpr std::uint64_t kMaxFileBytes = std::uint64_t{512} << 20U;

/// In the file's own colours: gray or RGB.
Image decode_native(std::span<const std::byte> bytes, const DecodeLimits& limits) {
  switch (detect_format(bytes)) {
    case PictureFormat::kJpeg:
      return decode_jpeg(bytes, limits);
    case PictureFormat::kPng:
      return decode_png(bytes, limits);
    case PictureFormat::kBmp:
      check_bmp(bytes, limits);
      return decode_with_module("BMP", bytes);
    case PictureFormat::kWebp:
      check_webp(bytes, limits);
      return decode_with_module("WebP", bytes);
    case PictureFormat::kTiff:
      return decode_tiff(bytes, limits);
    case PictureFormat::kPnm:
      return decode_pnm(bytes, limits);
  }
  throw Error(ErrorCode::kInternal, "a picture format without a decoder");
}

}  // namespace

Image decode(std::span<const std::byte> bytes, ColorMode color, const DecodeLimits& limits) {
  return in_color(decode_native(bytes, limits), color);
}

Image decode_file(std::string_view path, ColorMode color, const DecodeLimits& limits) {
  const std::filesystem::path file(path);
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw Error(ErrorCode::kImageNotFound, cat("there is no file ", printable(path)));
  }
  std::vector<std::byte> bytes;
  try {
    bytes = read_file(file, {kMaxFileBytes, ErrorCode::kImageTooLarge});
  } catch (const Error& failure) {
    if (failure.code() != ErrorCode::kIoRead) throw;
    throw Error(ErrorCode::kImageUnreadable, failure.what());
  }
  try {
    return decode(bytes, color, limits);
  } catch (const Error& failure) {
    throw Error(failure.code(), cat(printable(path), ": ", failure.what()));
  }
}

}  // namespace fovea
