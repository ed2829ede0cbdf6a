#include "engine/pipeline/decode_pnm.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fovea/error.h>

#include "engine/core/require.h"
#include "engine/pipeline/decode_limits.h"

namespace fovea {

namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The file's text from front to back.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  /// The next number of at most `digits` digits, after white space and comments.
  std::uint32_t number(std::size_t digits) {
    skip_space();
    if (!is_digit(rest_.front())) fail("holds something else where a number should be");
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < digits && !rest_.empty() && is_digit(rest_.front()); ++i) {
      value = value * 10 + static_cast<std::uint32_t>(rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  /// A number of the header or of a plain picture: white space has to follow, or the end.
  std::uint32_t separate_number() {
    const std::uint32_t value = number(9);
    if (!rest_.empty() && !is_space(rest_.front()) && rest_.front() != '#') {
      fail("holds a number that is too long or not a number");
    }
    return value;
  }

  /// `count` bytes after the one white space that ends a binary picture's header.
  std::string_view raster(std::size_t count) {
    if (rest_.empty()) end();
    if (!is_space(rest_.front())) fail("has no white space between its header and its pixels");
    rest_.remove_prefix(1);
    if (rest_.size() < count) {
      throw Error(
          ErrorCode::kImageTruncated,
          cat("PNM ends after ", rest_.size(), " of an expected ", count, " bytes of pixels"));
    }
    return rest_.substr(0, count);
  }

 private:
  void skip_space() {
    while (!rest_.empty() && (is_space(rest_.front()) || rest_.front() == '#')) {
      if (rest_.front() == '#') {
        rest_.remove_prefix(std::min(rest_.find_first_of("\r\n"), rest_.size()));
      } else {
        rest_.remove_prefix(1);
      }
    }
    if (rest_.empty()) end();
  }

  [[noreturn]] static void end() {
    throw Error(ErrorCode::kImageTruncated, "PNM ends before its last pixel");
  }

  [[noreturn]] static void fail(const char* what) {
    throw Error(ErrorCode::kImageCorrupt, cat("PNM ", what));
  }

  std::string_view rest_;
};

struct Header {
  bool plain;
  bool bitmap;  ///< values 0 and 1, 1 is black
  int channels;
  int width;
  int height;
  std::uint32_t largest;  ///< value
};

Header read_header(char kind, Scanner& scanner, const DecodeLimits& limits) {
  Header header{};
  header.plain = kind <= '3';
  header.bitmap = kind == '1' || kind == '4';
  header.channels = kind == '3' || kind == '6' ? 3 : 1;
  const std::uint32_t width = scanner.separate_number();
  const std::uint32_t height = scanner.separate_number();
  check_picture_size("PNM", width, height, limits);
  header.width = static_cast<int>(width);
  header.height = static_cast<int>(height);
  header.largest = header.bitmap ? 1 : scanner.separate_number();
  if (header.largest < 1 || header.largest > 65'535) {
    throw Error(ErrorCode::kImageCorrupt,
                cat("PNM's largest value is ", header.largest, ", which is not from 1 to 65535"));
  }
  if (header.largest > 255 && header.channels == 1) {
    throw Error(ErrorCode::kImageUnsupportedFormat,
                "PNM with gray values of more than 8 bits; save it as a 16-bit PNG");
  }
  return header;
}

/// What every value of the file becomes.
std::vector<std::uint8_t> scaled_values(const Header& header) {
  std::vector<std::uint8_t> scaled(header.largest + 1);
  for (std::uint32_t value = 0; value <= header.largest; ++value) {
    const double part = static_cast<double>(value) / header.largest;
    scaled[value] = static_cast<std::uint8_t>(std::nearbyint(part * 255.0));
  }
  if (header.bitmap) std::ranges::reverse(scaled);
  return scaled;
}

std::uint8_t lookup(const std::vector<std::uint8_t>& scaled, std::uint32_t value) {
  if (value >= scaled.size()) {
    throw Error(ErrorCode::kImageCorrupt,
                cat("PNM holds the value ", value, ", but its largest is ", scaled.size() - 1));
  }
  return scaled[value];
}

void read_plain(Scanner& scanner, const Header& header, Image& image) {
  const auto scaled = scaled_values(header);
  for (std::size_t i = 0; i < image.bytes(); ++i) {
    // Bits may stand side by side.
    const std::uint32_t value = header.bitmap ? scanner.number(1) : scanner.separate_number();
    image.data()[i] = lookup(scaled, value);
  }
}

/// Eight pixels a byte, the first one on top; rows begin at a byte.
void read_bits(Scanner& scanner, Image& image) {
  const auto row_bytes = (static_cast<std::size_t>(image.width()) + 7) / 8;
  const std::string_view raster =
      scanner.raster(row_bytes * static_cast<std::size_t>(image.height()));
  std::uint8_t* out = image.data();
  for (std::size_t row = 0; row < raster.size(); row += row_bytes) {
    for (std::size_t x = 0; x < static_cast<std::size_t>(image.width()); ++x) {
      const auto byte = static_cast<unsigned char>(raster[row + x / 8]);
      *out++ = (byte << (x % 8) & 0x80) != 0 ? 0 : 255;
    }
  }
}

void read_binary(Scanner& scanner, const Header& header, Image& image) {
  const std::size_t value_bytes = header.largest > 255 ? 2 : 1;
  const std::string_view raster = scanner.raster(image.bytes() * value_bytes);
  const auto byte = [raster](std::size_t i) { return static_cast<unsigned char>(raster[i]); };
  const auto scaled = scaled_values(header);
  for (std::size_t i = 0; i < image.bytes(); ++i) {
    const std::uint32_t value = value_bytes == 1 ? byte(i) : byte(2 * i) * 256U + byte(2 * i + 1);
    // Pillow takes a binary value beyond the largest for the largest.
    image.data()[i] = scaled[std::min(value, header.largest)];
  }
}

}  // namespace

Image decode_pnm(std::span<const std::byte> bytes, const DecodeLimits& limits) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Scanner scanner(text.substr(2));
  const Header header = read_header(text[1], scanner, limits);
  Image image(
      header.width, header.height, header.channels == 3 ? PixelFormat::kRgb8 : PixelFormat::kGray8);
  if (header.plain) {
    read_plain(scanner, header, image);
  } else if (header.bitmap) {
    read_bits(scanner, image);
  } else {
    read_binary(scanner, header, image);
  }
  return image;
}

}  // namespace fovea
