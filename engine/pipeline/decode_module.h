// Decoding through the module that holds OpenCV.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include <fovea/image.h>

namespace fovea {

/// The picture as kGray8, kGray16 or kRgb8 (of 16 bits the upper byte, as in Pillow); alpha is
/// dropped. The first call loads libfovea_decode_opencv.so: from $FOVEA_DECODE_MODULE, else beside
/// the executable or library that this code is in, else from ../lib/fovea. It stays loaded.
///
/// format  opens the messages ("PNG")
/// bytes   of a file whose header was checked: its size is what OpenCV allocates
/// Throws Unsupported (image/unsupported-format) where the module cannot be loaded, naming it;
/// Error image/corrupt, image/unsupported-format, image/too-large (out of memory). Thread-safe.
[[nodiscard]] Image decode_with_module(std::string_view format, std::span<const std::byte> bytes);

/// Loads the module without a picture, and gives its path. Throws likewise.
std::filesystem::path load_decode_module();

}  // namespace fovea
