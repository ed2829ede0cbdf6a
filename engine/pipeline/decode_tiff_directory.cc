#include "engine/pipeline/decode_tiff_directory.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <fovea/error.h>

#include "engine/core/require.h"
#include "engine/pipeline/decode_limits.h"

namespace fovea {

namespace {

enum Tag : std::uint16_t {
  kImageWidth = 256,
  kImageLength = 257,
  kBitsPerSample = 258,
  kCompression = 259,
  kPhotometric = 262,
  kFillOrder = 266,
  kStripOffsets = 273,
  kOrientation = 274,
  kSamplesPerPixel = 277,
  kRowsPerStrip = 278,
  kStripByteCounts = 279,
  kPlanarConfiguration = 284,
  kPredictor = 317,
  kColorMap = 320,
  kTileWidth = 322,
  kExtraSamples = 338,
  kSampleFormat = 339,
};

[[noreturn]] void unsupported(const std::string& what) {
  throw Error(ErrorCode::kImageUnsupportedFormat, cat("TIFF with ", what, "; save it as PNG"));
}

[[noreturn]] void corrupt(const std::string& what) {
  throw Error(ErrorCode::kImageCorrupt, cat("TIFF ", what));
}

/// One entry: a tag and where its numbers lie.
class Entry {
 public:
  Entry(const ByteReader& file, std::uint64_t at) : file_(&file) {
    constexpr std::uint64_t kInline = 4;
    switch (file.u16(at + 2)) {
      case 1:
        value_bytes_ = 1;
        break;
      case 3:
        value_bytes_ = 2;
        break;
      case 4:
        value_bytes_ = 4;
        break;
      default:
        corrupt(cat("has a tag ", file.u16(at), " that is no list of whole numbers"));
    }
    count_ = file.u32(at + 4);
    at_ = count_ * value_bytes_ <= kInline ? at + 8 : file.u32(at + 8);
    // The numbers are part of the file, so their count is bounded by its size.
    (void)file.slice(at_, count_ * value_bytes_);
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }

  [[nodiscard]] std::uint32_t operator[](std::uint64_t i) const {
    if (i >= count_) corrupt("has a tag with too few numbers");
    const std::uint64_t at = at_ + i * value_bytes_;
    return value_bytes_ == 1 ? file_->u8(at) : value_bytes_ == 2 ? file_->u16(at) : file_->u32(at);
  }

 private:
  const ByteReader* file_;
  std::uint64_t at_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t value_bytes_ = 0;
};

/// The entries of the first directory.
class Tags {
 public:
  explicit Tags(const ByteReader& file) : file_(file), at_(file.u32(4)), count_(file.u16(at_)) {
    (void)file.slice(at_ + 2, count_ * kEntryBytes);
  }

  [[nodiscard]] std::optional<Entry> find(Tag tag) const {
    for (std::uint64_t i = 0; i < count_; ++i) {
      const std::uint64_t entry = at_ + 2 + i * kEntryBytes;
      if (file_.u16(entry) == tag) return Entry(file_, entry);
    }
    return std::nullopt;
  }

  [[nodiscard]] Entry required(Tag tag, const char* name) const {
    const auto entry = find(tag);
    if (!entry) corrupt(cat("has no ", name));
    return *entry;
  }

  /// The first number, or the tag's default.
  [[nodiscard]] std::uint32_t number(Tag tag, std::uint32_t otherwise) const {
    const auto entry = find(tag);
    return entry ? (*entry)[0] : otherwise;
  }

 private:
  static constexpr std::uint64_t kEntryBytes = 12;
  const ByteReader& file_;
  std::uint64_t at_;
  std::uint64_t count_;
};

TiffCompression compression_of(std::uint32_t code) {
  switch (code) {
    case 1:
      return TiffCompression::kNone;
    case 5:
      return TiffCompression::kLzw;
    case 8:
    case 32'946:
      return TiffCompression::kDeflate;
    case 32'773:
      return TiffCompression::kPackBits;
    default:
      unsupported(cat("compression ", code));
  }
}

/// Every sample must have the same number: `otherwise` where the tag is missing.
std::uint32_t uniform(const Tags& tags, Tag tag, std::uint32_t otherwise, const char* name) {
  const auto entry = tags.find(tag);
  if (!entry) return otherwise;
  for (std::uint64_t i = 1; i < entry->count(); ++i) {
    if ((*entry)[i] != (*entry)[0]) unsupported(cat("a different ", name, " for every channel"));
  }
  return (*entry)[0];
}

void refuse_other_layouts(const Tags& tags) {
  if (tags.find(kTileWidth)) unsupported("tiles");
  if (tags.number(kPlanarConfiguration, 1) != 1) unsupported("channels in separate planes");
  if (tags.number(kFillOrder, 1) != 1) unsupported("reversed bits");
  const std::uint32_t orientation = tags.number(kOrientation, 1);
  if (orientation != 1) unsupported(cat("orientation ", orientation));
  if (uniform(tags, kSampleFormat, 1, "number format") != 1)
    unsupported("signed numbers or floats");
}

/// Colour, depth and samples, in the combinations that are read.
void read_pixel_layout(const Tags& tags, bool big_endian, TiffDirectory& directory) {
  const std::uint32_t bits = uniform(tags, kBitsPerSample, 1, "depth");
  const std::uint32_t samples = tags.number(kSamplesPerPixel, 1);
  const std::uint32_t photometric = tags.required(kPhotometric, "colour space")[0];
  const bool is_byte_or_less = bits == 1 || bits == 2 || bits == 4 || bits == 8;
  bool readable = false;
  switch (photometric) {
    case 0:
    case 1:
      directory.color = TiffColor::kGray;
      // Pillow does not invert 16 bits, and turns the other byte order into 8 bits.
      directory.inverted = photometric == 0 && bits != 16;
      readable = samples == 1 && (is_byte_or_less || (bits == 16 && !big_endian));
      break;
    case 2:
      directory.color = TiffColor::kRgb;
      readable = (samples == 3 || samples == 4) && (bits == 8 || bits == 16);
      if (samples == 4 && tags.number(kExtraSamples, 2) == 1) unsupported("premultiplied colours");
      break;
    case 3:
      directory.color = TiffColor::kPalette;
      readable = samples == 1 && is_byte_or_less;
      break;
    default:
      unsupported(cat("colour space ", photometric));
  }
  if (!readable) {
    unsupported(cat("colour space ",
                    photometric,
                    " in ",
                    samples,
                    " x ",
                    bits,
                    " bits",
                    big_endian ? ", big-endian" : ""));
  }
  directory.bits = static_cast<int>(bits);
  directory.samples = static_cast<int>(samples);
}

/// The tag belongs to two of the compressions and means nothing beside the others.
void read_predictor(const Tags& tags, TiffDirectory& directory) {
  if (directory.compression != TiffCompression::kLzw &&
      directory.compression != TiffCompression::kDeflate) {
    return;
  }
  const std::uint32_t predictor = tags.number(kPredictor, 1);
  if (predictor != 1 && (predictor != 2 || directory.bits < 8)) {
    unsupported(cat("predictor ", predictor));
  }
  directory.differences = predictor == 2;
}

void read_palette(const Tags& tags, TiffDirectory& directory) {
  const std::uint64_t colors = std::uint64_t{1} << static_cast<unsigned>(directory.bits);
  const Entry map = tags.required(kColorMap, "palette");
  if (map.count() != 3 * colors) {
    corrupt(cat("has a palette of ", map.count(), " values for ", directory.bits, " bits"));
  }
  // All reds, then all greens, then all blues, in 16 bits.
  for (std::uint64_t color = 0; color < colors; ++color) {
    for (std::uint64_t c = 0; c < 3; ++c) {
      directory.palette.push_back(static_cast<std::uint8_t>(map[c * colors + color] >> 8U));
    }
  }
}

void read_strips(const ByteReader& file, const Tags& tags, TiffDirectory& directory) {
  const auto height = static_cast<std::uint32_t>(directory.height);
  const std::uint32_t rows = std::min(tags.number(kRowsPerStrip, height), height);
  if (rows == 0) corrupt("has strips without rows");
  directory.rows_per_strip = static_cast<int>(rows);
  const Entry offsets = tags.required(kStripOffsets, "strip positions");
  const Entry sizes = tags.required(kStripByteCounts, "strip sizes");
  const std::uint64_t needed = (height + rows - 1) / rows;
  for (std::uint64_t i = 0; i < needed; ++i) {
    directory.strips.push_back(file.slice(offsets[i], sizes[i]));
  }
}

}  // namespace

TiffDirectory read_tiff_directory(const ByteReader& file, const DecodeLimits& limits) {
  const Tags tags(file);
  TiffDirectory directory;
  const std::uint32_t width = tags.required(kImageWidth, "width")[0];
  const std::uint32_t height = tags.required(kImageLength, "height")[0];
  check_picture_size("TIFF", width, height, limits);
  directory.width = static_cast<int>(width);
  directory.height = static_cast<int>(height);
  refuse_other_layouts(tags);
  read_pixel_layout(tags, file.tag(0) == std::string_view("MM\0*", 4), directory);
  directory.compression = compression_of(tags.number(kCompression, 1));
  read_predictor(tags, directory);
  if (directory.color == TiffColor::kPalette) read_palette(tags, directory);
  read_strips(file, tags, directory);
  return directory;
}

}  // namespace fovea
