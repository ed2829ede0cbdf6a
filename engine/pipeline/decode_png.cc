#include "engine/pipeline/decode_png.h"

#include <array>
#include <bit>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include <png.h>

#include <fovea/error.h>

#include "engine/core/require.h"
#include "engine/pipeline/decode_png_chunks.h"

namespace fovea {

namespace {

/// One PNG file being read. libpng reports errors with a longjmp into guarded(), so the functions
/// given to guarded() hold nothing that needs a destructor.
class PngReader {
 public:
  /// The bytes must outlive the reader.
  explicit PngReader(std::span<const std::byte> bytes) : left_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw Error(ErrorCode::kInternal, "libpng cannot be used: no memory, or another version");
    }
  }

  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  /// Reads what comes before the pixels; returns a picture of the format that they will have.
  Image start() {
    guarded([this] {
      png_set_read_fn(png_, this, read);
      png_read_info(png_, info_);
      const int depth = png_get_bit_depth(png_, info_);
      const int type = png_get_color_type(png_, info_);
      if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
      if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png_);
      if (depth == 16 && type != PNG_COLOR_TYPE_GRAY) png_set_strip_16(png_);
      if (depth == 16 && std::endian::native == std::endian::little) png_set_swap(png_);
      png_set_strip_alpha(png_);
      (void)png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
    });
    const bool gray = png_get_channels(png_, info_) == 1;
    const bool wide = png_get_bit_depth(png_, info_) == 16;
    Image image(static_cast<int>(png_get_image_width(png_, info_)),
                static_cast<int>(png_get_image_height(png_, info_)),
                !gray  ? PixelFormat::kRgb8
                : wide ? PixelFormat::kGray16
                       : PixelFormat::kGray8);
    require(png_get_rowbytes(png_, info_) == static_cast<std::size_t>(image.stride()),
            "libpng's rows and ours have one size");
    return image;
  }

  /// Reads all pixels and on to the end chunk.
  void finish(Image& image) {
    std::vector<png_bytep> rows(static_cast<std::size_t>(image.height()));
    for (std::size_t y = 0; y < rows.size(); ++y) {
      rows[y] = image.data() + static_cast<std::ptrdiff_t>(y) * image.stride();
    }
    guarded([this, places = rows.data()] {
      png_read_image(png_, places);
      png_read_end(png_, nullptr);
    });
  }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp text) {
    auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
    (void)std::snprintf(reader->message_.data(), reader->message_.size(), "%s", text);
    std::longjmp(reader->back_, 1);
  }

  static void on_warning(png_structp /*png*/, png_const_charp /*text*/) {}

  static void read(png_structp png, png_bytep out, std::size_t count) {
    auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > reader->left_.size()) png_error(png, "it ends too early");
    std::memcpy(out, reader->left_.data(), count);
    reader->left_ = reader->left_.subspan(count);
  }

  template <typename Step>
  void guarded(const Step& step) {
    if (setjmp(back_) != 0) {
      throw Error(ErrorCode::kImageCorrupt, cat("PNG cannot be read: ", message_.data()));
    }
    step();
  }

  std::span<const std::byte> left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf back_{};
  std::array<char, 128> message_{};
};

}  // namespace

Image decode_png(std::span<const std::byte> bytes, const DecodeLimits& limits) {
  const std::vector<std::byte> kept = checked_png(bytes, limits);
  PngReader reader(kept);
  Image image = reader.start();
  reader.finish(image);
  return image;
}

}  // namespace fovea
