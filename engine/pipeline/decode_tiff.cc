#include "engine/pipeline/decode_tiff.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/pipeline/decode_bytes.h"
#include "engine/pipeline/decode_tiff_directory.h"
#include "engine/pipeline/decode_tiff_strip.h"

namespace fovea {

namespace {

/// Value i of a row with 8, 4 or 2 values a byte, the first one on top.
std::uint16_t packed_value(const std::uint8_t* row, std::size_t i, unsigned bits) {
  const std::size_t bit = i * bits;
  const unsigned shift = 8 - bits - static_cast<unsigned>(bit % 8);
  return static_cast<std::uint16_t>(row[bit / 8] >> shift & ((1U << bits) - 1));
}

/// The values of one row as numbers; `values` has width * samples places.
void unpack_row(const std::uint8_t* row,
                const TiffDirectory& directory,
                bool big_endian,
                std::vector<std::uint16_t>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (directory.bits < 8) {
      values[i] = packed_value(row, i, static_cast<unsigned>(directory.bits));
    } else if (directory.bits == 8) {
      values[i] = row[i];
    } else {
      const unsigned first = row[2 * i];
      const unsigned second = row[2 * i + 1];
      values[i] =
          static_cast<std::uint16_t>(big_endian ? first << 8U | second : second << 8U | first);
    }
  }
  if (!directory.differences) return;
  const auto samples = static_cast<std::size_t>(directory.samples);
  const unsigned mask = (1U << static_cast<unsigned>(directory.bits)) - 1;
  for (std::size_t i = samples; i < values.size(); ++i) {
    values[i] = static_cast<std::uint16_t>((values[i] + values[i - samples]) & mask);
  }
}

void write_gray(const TiffDirectory& directory,
                const std::vector<std::uint16_t>& values,
                std::uint8_t* out) {
  if (directory.bits == 16) {
    std::memcpy(out, values.data(), values.size() * sizeof values[0]);
    return;
  }
  const unsigned scale = 255 / ((1U << static_cast<unsigned>(directory.bits)) - 1);
  const unsigned flip = directory.inverted ? 255 : 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out[i] = static_cast<std::uint8_t>((values[i] * scale) ^ flip);
  }
}

void write_palette(const TiffDirectory& directory,
                   const std::vector<std::uint16_t>& values,
                   std::uint8_t* out) {
  for (const std::uint16_t value : values) {
    out = std::copy_n(directory.palette.data() + std::size_t{3} * value, 3, out);
  }
}

void write_rgb(const TiffDirectory& directory,
               const std::vector<std::uint16_t>& values,
               std::uint8_t* out) {
  const auto samples = static_cast<std::size_t>(directory.samples);
  const unsigned shift = directory.bits == 16 ? 8 : 0;
  for (std::size_t i = 0; i < values.size(); i += samples) {
    for (std::size_t c = 0; c < 3; ++c) *out++ = static_cast<std::uint8_t>(values[i + c] >> shift);
  }
}

PixelFormat format_of(const TiffDirectory& directory) {
  if (directory.color != TiffColor::kGray) return PixelFormat::kRgb8;
  return directory.bits == 16 ? PixelFormat::kGray16 : PixelFormat::kGray8;
}

}  // namespace

Image decode_tiff(std::span<const std::byte> bytes, const DecodeLimits& limits) {
  const bool big_endian = bytes[0] == std::byte{'M'};
  const ByteReader file(bytes, "TIFF", big_endian ? std::endian::big : std::endian::little);
  const TiffDirectory directory = read_tiff_directory(file, limits);
  auto* const write = directory.color == TiffColor::kGray      ? write_gray
                      : directory.color == TiffColor::kPalette ? write_palette
                                                               : write_rgb;
  Image image(directory.width, directory.height, format_of(directory));
  std::vector<std::uint16_t> values(static_cast<std::size_t>(directory.width) *
                                    static_cast<std::size_t>(directory.samples));
  std::vector<std::uint8_t> rows;
  int y = 0;
  for (const auto& strip : directory.strips) {
    const int count = std::min(directory.rows_per_strip, directory.height - y);
    rows.resize(directory.row_bytes() * static_cast<std::size_t>(count));
    decompress_tiff_strip(directory.compression, strip, rows);
    for (int row = 0; row < count; ++row, ++y) {
      unpack_row(rows.data() + directory.row_bytes() * static_cast<std::size_t>(row),
                 directory,
                 big_endian,
                 values);
      write(directory, values, image.data() + y * image.stride());
    }
  }
  return image;
}

}  // namespace fovea
