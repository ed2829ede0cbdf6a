#include "engine/pipeline/decode_tiff_strip.h"

#include <algorithm>
#include <array>

#include <zlib.h>

#include <fovea/error.h>

#include "engine/core/require.h"

namespace fovea {

namespace {

[[noreturn]] void damaged(const char* compression) {
  throw Error(ErrorCode::kImageCorrupt,
              cat("TIFF has a strip whose ", compression, " data is damaged or too short"));
}

void copy_plain(std::span<const std::byte> strip, std::span<std::uint8_t> out) {
  if (strip.size() < out.size()) damaged("uncompressed");
  std::ranges::transform(strip.first(out.size()), out.begin(), [](std::byte b) {
    return std::to_integer<std::uint8_t>(b);
  });
}

/// A byte n: n + 1 bytes follow as they are (n < 128), or one that stands for 257 - n (n > 128).
void unpack_bits(std::span<const std::byte> strip, std::span<std::uint8_t> out) {
  constexpr unsigned kNothing = 128;
  while (!out.empty()) {
    if (strip.empty()) damaged("PackBits");
    const auto code = std::to_integer<unsigned>(strip.front());
    strip = strip.subspan(1);
    if (code == kNothing) continue;
    const bool is_run = code > kNothing;
    const std::size_t count = is_run ? 257 - code : code + 1;
    if (strip.size() < (is_run ? 1 : count)) damaged("PackBits");
    const std::size_t used = std::min(count, out.size());
    for (std::size_t i = 0; i < used; ++i) {
      out[i] = std::to_integer<std::uint8_t>(strip[is_run ? 0 : i]);
    }
    strip = strip.subspan(is_run ? 1 : count);
    out = out.subspan(used);
  }
}

/// Owns zlib's state.
class Inflater {
 public:
  Inflater() {
    if (inflateInit(&stream_) != Z_OK) {
      throw Error(ErrorCode::kInternal, "zlib cannot be started");
    }
  }

  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  ~Inflater() { inflateEnd(&stream_); }

  /// Whether `out` could be filled, and the checksum is right if the data ends there.
  bool run(std::span<const std::byte> in, std::span<std::uint8_t> out) {
    stream_.next_in = reinterpret_cast<const Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(out.size());
    const int result = inflate(&stream_, Z_FINISH);
    return stream_.avail_out == 0 && (result == Z_STREAM_END || result == Z_BUF_ERROR);
  }

 private:
  z_stream stream_{};
};

/// Codes of 9 to 12 bits, the first bit on top.
class LzwCodes {
 public:
  explicit LzwCodes(std::span<const std::byte> bytes) : bytes_(bytes) {}

  unsigned next(unsigned width) {
    while (bits_ < width) {
      if (at_ == bytes_.size()) damaged("LZW");
      buffer_ = buffer_ << 8U | std::to_integer<unsigned>(bytes_[at_++]);
      bits_ += 8;
    }
    bits_ -= width;
    return buffer_ >> bits_ & ((1U << width) - 1);
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  unsigned buffer_ = 0;
  unsigned bits_ = 0;
};

/// The strings that codes stand for: each is an earlier string and one more byte.
class LzwTable {
 public:
  static constexpr unsigned kClear = 256;
  static constexpr unsigned kEnd = 257;

  LzwTable() {
    for (unsigned code = 0; code < 256; ++code)
      entries_[code] = {0, static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(code), 1};
  }

  void clear() { size_ = kFirst; }

  /// Whether the code stands for a string now.
  [[nodiscard]] bool has(unsigned code) const {
    return code < 256 || (code >= kFirst && code < size_);
  }

  /// The next code's width. TIFF's encoders widen one code earlier than they would have to.
  [[nodiscard]] unsigned width() const {
    return size_ < 511 ? 9 : size_ < 1023 ? 10 : size_ < 2047 ? 11 : 12;
  }

  [[nodiscard]] std::uint8_t first_byte(unsigned code) const { return entries_[code].first; }

  /// A full table stays as it is until it is cleared.
  void add(unsigned prefix, std::uint8_t last) {
    if (size_ == kSize) return;
    const Entry& from = entries_[prefix];
    entries_[size_++] = {static_cast<std::uint16_t>(prefix),
                         from.first,
                         last,
                         static_cast<std::uint16_t>(from.length + 1)};
  }

  /// Writes the code's string, cut to `out`; returns how much of it fits.
  [[nodiscard]] std::size_t write(unsigned code, std::span<std::uint8_t> out) const {
    const std::size_t length = entries_[code].length;
    for (std::size_t i = length; i-- > 0; code = entries_[code].prefix) {
      if (i < out.size()) out[i] = entries_[code].last;
    }
    return std::min(length, out.size());
  }

 private:
  struct Entry {
    std::uint16_t prefix;
    std::uint8_t first;
    std::uint8_t last;
    std::uint16_t length;
  };

  static constexpr unsigned kFirst = 258;
  static constexpr unsigned kSize = 4096;
  std::array<Entry, kSize> entries_{};
  unsigned size_ = kFirst;
};

void unpack_lzw(std::span<const std::byte> strip, std::span<std::uint8_t> out) {
  LzwCodes codes(strip);
  LzwTable table;
  bool has_previous = false;
  unsigned previous = 0;
  while (!out.empty()) {
    const unsigned code = codes.next(table.width());
    if (code == LzwTable::kEnd) damaged("LZW");
    if (code == LzwTable::kClear) {
      table.clear();
      has_previous = false;
      continue;
    }
    const bool known = table.has(code);
    if (!known && !has_previous) damaged("LZW");
    // The only unknown code that makes sense is the one that this step adds.
    if (has_previous) table.add(previous, table.first_byte(known ? code : previous));
    if (!table.has(code)) damaged("LZW");
    out = out.subspan(table.write(code, out));
    previous = code;
    has_previous = true;
  }
}

}  // namespace

void decompress_tiff_strip(TiffCompression compression,
                           std::span<const std::byte> strip,
                           std::span<std::uint8_t> out) {
  switch (compression) {
    case TiffCompression::kNone:
      copy_plain(strip, out);
      return;
    case TiffCompression::kLzw:
      unpack_lzw(strip, out);
      return;
    case TiffCompression::kDeflate:
      if (!Inflater().run(strip, out)) damaged("deflate");
      return;
    case TiffCompression::kPackBits:
      unpack_bits(strip, out);
      return;
  }
}

}  // namespace fovea
