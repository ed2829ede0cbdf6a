#include "engine/pipeline/decode_module.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include <dlfcn.h>

#include <fovea/error.h>

#include "engine/core/env.h"
#include "engine/core/install_path.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/pipeline/decode_opencv_abi.h"

namespace fovea {

namespace {

std::filesystem::path module_path() {
  if (const auto path = env::get(env::kDecodeModule)) return *path;
  return companion_file("libfovea_decode_opencv.so", "lib/fovea");
}

[[noreturn]] void cannot_load(std::string_view format,
                              const std::filesystem::path& path,
                              std::string_view why) {
  throw Unsupported(cat(format,
                        " pictures need the module ",
                        path.string(),
                        ", which cannot be loaded: ",
                        why,
                        "; install it there, or set ",
                        env::kDecodeModule.name,
                        " to its path"),
                    ErrorCode::kImageUnsupportedFormat);
}

/// Never unloaded: OpenCV's libraries start threads and register exit handlers.
const FoveaDecodeModule& load(std::string_view format) {
  const std::filesystem::path path = module_path();
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = dlerror();
    cannot_load(format, path, why == nullptr ? "unknown reason" : why);
  }
  const auto* found = static_cast<const FoveaDecodeModule*>(dlsym(handle, kDecodeModuleSymbol));
  if (found == nullptr) cannot_load(format, path, "it is not a module of Fovea");
  if (found->version != kDecodeModuleVersion) {
    cannot_load(format,
                path,
                cat("it has version ",
                    found->version,
                    " of the interface, this library ",
                    kDecodeModuleVersion));
  }
  return *found;
}

/// Loaded once; tried again at the next picture where it failed.
const FoveaDecodeModule& decode_module(std::string_view format) {
  static std::mutex mutex;
  static const FoveaDecodeModule* module = nullptr;
  const std::scoped_lock lock(mutex);
  if (module == nullptr) module = &load(format);
  return *module;
}

ErrorCode code_of(std::int32_t status) {
  switch (status) {
    case kDecodeUnsupported:
      return ErrorCode::kImageUnsupportedFormat;
    case kDecodeNoMemory:
      return ErrorCode::kImageTooLarge;
    default:
      return ErrorCode::kImageCorrupt;
  }
}

/// Blue, green, red and what may follow to RGB; of two bytes the upper one.
template <typename Value>
void to_rgb_row(const std::uint8_t* row,
                std::size_t pixels,
                std::size_t channels,
                std::uint8_t* out) {
  constexpr unsigned kShift = 8 * (sizeof(Value) - 1);
  for (std::size_t i = 0; i < pixels; ++i, row += channels * sizeof(Value)) {
    std::array<Value, 3> bgr;
    std::memcpy(bgr.data(), row, sizeof bgr);
    for (std::size_t c = 0; c < 3; ++c) *out++ = static_cast<std::uint8_t>(bgr[2 - c] >> kShift);
  }
}

Image copied(const FoveaDecodedPicture& picture) {
  const bool wide = picture.value_bytes == 2;
  const PixelFormat format = picture.channels != 1 ? PixelFormat::kRgb8
                             : wide                ? PixelFormat::kGray16
                                                   : PixelFormat::kGray8;
  Image image(picture.width, picture.height, format);
  const auto pixels = static_cast<std::size_t>(picture.width);
  const auto channels = static_cast<std::size_t>(picture.channels);
  for (int y = 0; y < picture.height; ++y) {
    const std::uint8_t* row = picture.data + y * picture.stride;
    std::uint8_t* out = image.data() + y * image.stride();
    if (picture.channels == 1) {
      std::memcpy(out, row, static_cast<std::size_t>(image.stride()));
    } else if (wide) {
      to_rgb_row<std::uint16_t>(row, pixels, channels, out);
    } else {
      to_rgb_row<std::uint8_t>(row, pixels, channels, out);
    }
  }
  return image;
}

}  // namespace

Image decode_with_module(std::string_view format, std::span<const std::byte> bytes) {
  const FoveaDecodeModule& module = decode_module(format);
  FoveaDecodedPicture picture{};
  std::array<char, 256> message{};
  const std::int32_t status = module.decode(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                            bytes.size(),
                                            &picture,
                                            message.data(),
                                            message.size());
  if (status != kDecodeOk) {
    throw Error(code_of(status), cat(format, " cannot be read: ", printable(message.data())));
  }
  const std::unique_ptr<FoveaDecodedPicture, FoveaReleaseFunction> releaser(&picture,
                                                                            module.release);
  return copied(picture);
}

std::filesystem::path load_decode_module() {
  (void)decode_module("BMP and WebP");
  return module_path();
}

}  // namespace fovea
