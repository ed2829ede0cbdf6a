#include "engine/pipeline/decode_jpeg.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>  // jpeglib.h needs FILE
#include <string>
#include <vector>

// In this order: jerror.h numbers its messages by what jpeglib.h has configured.
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <fovea/error.h>

#include "engine/core/require.h"
#include "engine/pipeline/decode_color.h"
#include "engine/pipeline/decode_limits.h"

namespace fovea {

namespace {

/// As many scans over the largest picture that the limits allow are read, and more over smaller
/// ones, as long as the pixels add up to no more.
constexpr std::int64_t kMaxScansOfLargest = 20;

/// Why libjpeg was left.
enum class Stop : std::uint8_t { kError, kDamage, kEnd, kScans };

/// libjpeg's error manager with what our callbacks need; they get at it through the first member.
struct ErrorManager {
  jpeg_error_mgr base{};
  std::jmp_buf back{};
  Stop stop = Stop::kError;
  int max_scans = 0;
  std::int64_t max_scanned_pixels = 0;
};

[[noreturn]] void leave(j_common_ptr info, Stop stop) {
  auto* errors = reinterpret_cast<ErrorManager*>(info->err);
  errors->stop = stop;
  std::longjmp(errors->back, 1);
}

[[noreturn]] void on_error(j_common_ptr info) {
  leave(info, Stop::kError);
}

void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // a trace
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
      leave(info, Stop::kEnd);
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
      leave(info, Stop::kDamage);
    default:
      return;
  }
}

/// Called for every row of blocks of every scan. A file of a few kilobytes can hold thousands of
/// scans over a huge picture.
void on_progress(j_common_ptr info) {
  const auto* errors = reinterpret_cast<const ErrorManager*>(info->err);
  const auto* jpeg = reinterpret_cast<const jpeg_decompress_struct*>(info);
  const std::int64_t scan = jpeg->input_scan_number;
  const std::int64_t pixels = static_cast<std::int64_t>(jpeg->image_width) * jpeg->image_height;
  if (scan > errors->max_scans || scan * pixels > errors->max_scanned_pixels) {
    leave(info, Stop::kScans);
  }
}

ErrorCode code_of(int message) {
  switch (message) {
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_ARITH_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_NOT_COMPILED:
      return ErrorCode::kImageUnsupportedFormat;
    case JERR_IMAGE_TOO_BIG:
    case JERR_OUT_OF_MEMORY:
      return ErrorCode::kImageTooLarge;
    default:
      return ErrorCode::kImageCorrupt;
  }
}

/// One JPEG file being read. libjpeg reports errors with a longjmp into guarded(), so the functions
/// given to guarded() hold nothing that needs a destructor.
class JpegReader {
 public:
  explicit JpegReader(const DecodeLimits& limits) {
    jpeg_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = on_error;
    errors_.base.emit_message = on_message;
    errors_.max_scans = limits.max_progressive_scans;
    errors_.max_scanned_pixels = kMaxScansOfLargest * limits.max_pixels;
    progress_.progress_monitor = on_progress;
    guarded([this] { jpeg_create_decompress(&jpeg_); });
    jpeg_.progress = &progress_;
  }

  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }

  /// The bytes must outlive the reader.
  void read_header(std::span<const std::byte> bytes) {
    guarded([this, bytes] {
      const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
      jpeg_mem_src(&jpeg_, data, static_cast<unsigned long>(bytes.size()));
      (void)jpeg_read_header(&jpeg_, TRUE);
    });
    header_is_read_ = true;
  }

  [[nodiscard]] std::int64_t width() const { return jpeg_.image_width; }

  [[nodiscard]] std::int64_t height() const { return jpeg_.image_height; }

  /// 1: gray, 3: RGB, 4: inverted CMYK, and so are the pixels of read_rows.
  [[nodiscard]] int components() const { return jpeg_.num_components; }

  void start() {
    guarded([this] {
      jpeg_.out_color_space = jpeg_.num_components == 1   ? JCS_GRAYSCALE
                              : jpeg_.num_components == 3 ? JCS_RGB
                                                          : JCS_CMYK;
      jpeg_.dct_method = JDCT_ISLOW;
      jpeg_.do_fancy_upsampling = TRUE;
      (void)jpeg_start_decompress(&jpeg_);
    });
  }

  /// Reads at least one row, at most rows.size(), to these places; returns how many.
  std::size_t read_rows(std::span<std::uint8_t*> rows) {
    const JDIMENSION before = jpeg_.output_scanline;
    guarded([this, rows] {
      (void)jpeg_read_scanlines(&jpeg_, rows.data(), static_cast<JDIMENSION>(rows.size()));
    });
    return jpeg_.output_scanline - before;
  }

  /// Reads on to the end marker.
  void finish() {
    guarded([this] { (void)jpeg_finish_decompress(&jpeg_); });
  }

 private:
  template <typename Step>
  void guarded(const Step& step) {
    if (setjmp(errors_.back) != 0) fail();
    step();
  }

  [[noreturn]] void fail() {
    std::array<char, JMSG_LENGTH_MAX> text{};
    errors_.base.format_message(reinterpret_cast<j_common_ptr>(&jpeg_), text.data());
    switch (errors_.stop) {
      case Stop::kEnd:
        throw Error(ErrorCode::kImageTruncated, cat("JPEG ends ", where_it_ended()));
      case Stop::kDamage:
        throw Error(ErrorCode::kImageCorrupt,
                    cat("JPEG is damaged near row ",
                        jpeg_.output_scanline,
                        " of ",
                        height(),
                        ": ",
                        text.data()));
      case Stop::kScans:
        throw Error(ErrorCode::kImageTooLarge,
                    cat("JPEG of ",
                        width(),
                        " x ",
                        height(),
                        " pixels has more than ",
                        jpeg_.input_scan_number - 1,
                        " scans, which is more than any encoder needs"));
      case Stop::kError:
        break;
    }
    throw Error(code_of(errors_.base.msg_code), cat("JPEG cannot be read: ", text.data()));
  }

  [[nodiscard]] std::string where_it_ended() const {
    if (!header_is_read_) return "inside its header";
    if (jpeg_.output_scanline == 0 && jpeg_.input_scan_number > 1) {
      return cat("in scan ", jpeg_.input_scan_number, ", before its end marker");
    }
    if (jpeg_.output_scanline == jpeg_.image_height) return "without an end marker";
    return cat("after ", jpeg_.output_scanline, " of an expected ", height(), " rows");
  }

  ErrorManager errors_;
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct jpeg_{};
  bool header_is_read_ = false;
};

/// Most rows that one call of libjpeg may deliver.
constexpr std::size_t kRows = 16;

void read_direct(JpegReader& reader, Image& image) {
  std::array<std::uint8_t*, kRows> rows{};
  for (int y = 0; y < image.height();) {
    const auto left = std::min(kRows, static_cast<std::size_t>(image.height() - y));
    for (std::size_t i = 0; i < left; ++i) {
      rows[i] = image.data() + (y + static_cast<std::ptrdiff_t>(i)) * image.stride();
    }
    y += static_cast<int>(reader.read_rows({rows.data(), left}));
  }
}

void read_cmyk(JpegReader& reader, Image& image) {
  const auto width = static_cast<std::size_t>(image.width());
  std::vector<std::uint8_t> inks(width * 4);
  std::array<std::uint8_t*, 1> rows{inks.data()};
  for (int y = 0; y < image.height(); ++y) {
    (void)reader.read_rows(rows);
    inverted_cmyk_to_rgb(inks.data(), width, image.data() + y * image.stride());
  }
}

}  // namespace

Image decode_jpeg(std::span<const std::byte> bytes, const DecodeLimits& limits) {
  JpegReader reader(limits);
  reader.read_header(bytes);
  check_picture_size("JPEG", reader.width(), reader.height(), limits);
  const int components = reader.components();
  if (components != 1 && components != 3 && components != 4) {
    throw Error(
        ErrorCode::kImageUnsupportedFormat,
        cat("JPEG with ", components, " components; readable are 1 (gray), 3 and 4 (CMYK)"));
  }
  reader.start();
  Image image(static_cast<int>(reader.width()),
              static_cast<int>(reader.height()),
              components == 1 ? PixelFormat::kGray8 : PixelFormat::kRgb8);
  if (components == 4) {
    read_cmyk(reader, image);
  } else {
    read_direct(reader, image);
  }
  reader.finish();
  return image;
}

}  // namespace fovea
