#include "engine/pipeline/decode_format.h"

#include <algorithm>
#include <array>
#include <string>

#include <fovea/error.h>

#include "engine/core/require.h"

namespace fovea {

namespace {

using std::string_view_literals::operator""sv;

/// The first bytes of a format, and more of them further in.
struct Magic {
  std::string_view start;
  std::size_t offset;
  std::string_view there;
  std::string_view name;
};

constexpr std::array kReadable{
    Magic{"\xFF\xD8"sv, 0, ""sv, "JPEG"sv},
    Magic{"\x89PNG\r\n\x1A\n"sv, 0, ""sv, "PNG"sv},
    Magic{"BM"sv, 0, ""sv, "BMP"sv},
    Magic{"RIFF"sv, 8, "WEBP"sv, "WebP"sv},
    Magic{"II*\0"sv, 0, ""sv, "TIFF"sv},
    Magic{"MM\0*"sv, 0, ""sv, "TIFF"sv},
};
constexpr std::array kReadableFormats{PictureFormat::kJpeg,
                                      PictureFormat::kPng,
                                      PictureFormat::kBmp,
                                      PictureFormat::kWebp,
                                      PictureFormat::kTiff,
                                      PictureFormat::kTiff};
static_assert(kReadable.size() == kReadableFormats.size());

constexpr std::array kKnown{
    Magic{"GIF8"sv, 0, ""sv, "GIF"sv},
    Magic{""sv, 4, "ftypavi"sv, "AVIF"sv},
    Magic{""sv, 4, "ftyp"sv, "HEIF or a film"sv},
    Magic{"\0\0\0\x0CjP  "sv, 0, ""sv, "JPEG 2000"sv},
    Magic{"\xFF\x4F\xFF\x51"sv, 0, ""sv, "JPEG 2000"sv},
    Magic{"\xFF\x0A"sv, 0, ""sv, "JPEG XL"sv},
    Magic{"\0\0\0\x0CJXL "sv, 0, ""sv, "JPEG XL"sv},
    Magic{"II+\0"sv, 0, ""sv, "BigTIFF"sv},
    Magic{"MM\0+"sv, 0, ""sv, "BigTIFF"sv},
    Magic{"\0\0\x01\0"sv, 0, ""sv, "ICO"sv},
    Magic{"8BPS"sv, 0, ""sv, "Photoshop"sv},
    Magic{"%PDF"sv, 0, ""sv, "PDF"sv},
    Magic{"PK\x03\x04"sv, 0, ""sv, "a zip archive"sv},
    Magic{"\x1F\x8B"sv, 0, ""sv, "gzip"sv},
    Magic{"\x76\x2F\x31\x01"sv, 0, ""sv, "OpenEXR"sv},
    Magic{"\x89HDF"sv, 0, ""sv, "HDF5"sv},
};

bool matches(std::string_view data, const Magic& magic) {
  return data.starts_with(magic.start) && data.size() >= magic.offset &&
         data.substr(magic.offset).starts_with(magic.there);
}

/// "P1" to "P6" and white space or a comment.
bool is_pnm(std::string_view data) {
  return data.size() >= 3 && data[0] == 'P' && data[1] >= '1' && data[1] <= '6' &&
         " \t\r\n\v\f#"sv.find(data[2]) != std::string_view::npos;
}

/// Printable ASCII, white space, and bytes that occur in UTF-8 beyond ASCII.
bool is_text(std::string_view data) {
  return std::ranges::all_of(data.substr(0, 512), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) return "\t\r\n\f"sv.find(c) != std::string_view::npos;
    return byte != 0x7F && byte != 0xC0 && byte != 0xC1 && byte < 0xF5;
  });
}

/// What data of no readable format is, as a clause.
std::string description(std::string_view data) {
  if (data.empty()) return "the picture is empty: 0 bytes";
  const auto known =
      std::ranges::find_if(kKnown, [data](const Magic& magic) { return matches(data, magic); });
  if (known != kKnown.end()) return cat("the picture's format is ", known->name);
  if (is_text(data)) return "the data is text and no picture";
  return "the data is no picture of a known format";
}

}  // namespace

std::string_view to_string(PictureFormat format) {
  constexpr std::array kNames{"JPEG"sv, "PNG"sv, "BMP"sv, "WebP"sv, "TIFF"sv, "PNM"sv};
  return kNames.at(static_cast<std::size_t>(format));
}

PictureFormat detect_format(std::span<const std::byte> bytes) {
  const std::string_view data(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (std::size_t i = 0; i < kReadable.size(); ++i) {
    if (matches(data, kReadable[i])) return kReadableFormats[i];
  }
  if (is_pnm(data)) return PictureFormat::kPnm;
  throw Error(ErrorCode::kImageUnsupportedFormat,
              cat(description(data), "; readable are JPEG, PNG, BMP, WebP, TIFF and PNM"));
}

}  // namespace fovea
