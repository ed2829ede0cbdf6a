// Pictures in host memory, and decoding them from file bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <fovea/preprocess.h>

namespace fovea {

/// Channels are interleaved; kGray16 is native-endian, two bytes a pixel.
enum class PixelFormat : std::uint8_t { kGray8, kRgb8, kGray16 };

/// Bytes of one pixel.
[[nodiscard]] constexpr int pixel_bytes(PixelFormat format) {
  return format == PixelFormat::kRgb8 ? 3 : format == PixelFormat::kGray16 ? 2 : 1;
}

/// A picture that someone else owns.
struct ImageView {
  const std::uint8_t* data = nullptr;
  int width = 0;              ///< pixels, >= 1
  int height = 0;             ///< pixels, >= 1
  std::ptrdiff_t stride = 0;  ///< bytes from one row to the next, >= width * pixel_bytes(format)
  PixelFormat format = PixelFormat::kRgb8;
};

/// A picture that owns its pixels; rows are packed. Move-only.
class Image {
 public:
  Image() = default;

  /// Pixels are not initialised. Throws InvalidArgument unless both sides are >= 1.
  Image(int width, int height, PixelFormat format);

  [[nodiscard]] int width() const { return width_; }

  [[nodiscard]] int height() const { return height_; }

  [[nodiscard]] PixelFormat format() const { return format_; }

  [[nodiscard]] std::ptrdiff_t stride() const {
    return static_cast<std::ptrdiff_t>(width_) * pixel_bytes(format_);
  }

  [[nodiscard]] std::size_t bytes() const {
    return static_cast<std::size_t>(stride()) * static_cast<std::size_t>(height_);
  }

  [[nodiscard]] std::uint8_t* data() { return pixels_.get(); }

  [[nodiscard]] const std::uint8_t* data() const { return pixels_.get(); }

  [[nodiscard]] ImageView view() const { return {data(), width_, height_, stride(), format_}; }

 private:
  std::unique_ptr<std::uint8_t[]> pixels_;
  int width_ = 0;
  int height_ = 0;
  PixelFormat format_ = PixelFormat::kRgb8;
};

/// Bounds that are checked on a picture's header, before anything of its size is allocated.
struct DecodeLimits {
  std::int64_t max_pixels = 50'000'000;
  int max_side = 16'384;            ///< pixels
  int max_progressive_scans = 100;  ///< of a progressive JPEG
};

/// Decodes a file's bytes to exactly the pixels of Keras's load_img without a target size: mode
/// first (RGB or grayscale), no EXIF rotation, CMYK as Pillow. JPEG through libjpeg-turbo (accurate
/// DCT, fancy upsampling), PNG through libpng, BMP and WebP through OpenCV, which is loaded at the
/// first such picture. Grayscale keeps a 16-bit gray picture as kGray16, as Pillow does.
///
/// Throws Error with an image/... code: unsupported-format, truncated, corrupt, too-large.
/// Thread-safe.
[[nodiscard]] Image decode(std::span<const std::byte> bytes,
                           ColorMode color = ColorMode::kRgb,
                           const DecodeLimits& limits = {});

/// Reads and decodes a file. Additionally throws image/not-found and image/unreadable.
[[nodiscard]] Image decode_file(std::string_view path,
                                ColorMode color = ColorMode::kRgb,
                                const DecodeLimits& limits = {});

/// Resizes (and crops) as `spec` says, bit for bit as Pillow does; a picture that already has the
/// target size, and every picture for a spec without one, is copied.
/// Throws InvalidArgument where the spec cannot be applied to the picture's format. Thread-safe.
[[nodiscard]] Image resize(const ImageView& image, const PreprocessSpec& spec);

/// Applies the spec's normalisation in float32, in Keras's order of operations.
///
/// out   height * width * channels floats, HWC; must not overlap the picture
/// Throws InvalidArgument for a 16-bit picture, or a mode that needs three channels on a gray one.
void normalize(const ImageView& image, Normalization mode, std::span<float> out);

}  // namespace fovea
