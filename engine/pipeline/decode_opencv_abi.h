// The C interface between the library and libfovea_decode_opencv.so.
//
// OpenCV's imgcodecs pulls in 50 MB of libraries and 70 ms of start-up, so it is linked to this
// module alone, which is loaded at the first picture that needs it. No C++ type and no exception
// crosses the boundary.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

/// What the module answers.
enum FoveaDecodeStatus : std::int32_t {
  FOVEA_DECODE_OK = 0,
  FOVEA_DECODE_CORRUPT = 1,      ///< no picture came out
  FOVEA_DECODE_UNSUPPORTED = 2,  ///< one came out that is neither 8 nor 16 bits, or has 2 channels
  FOVEA_DECODE_NO_MEMORY = 3,
};

/// A decoded picture: 1 value a pixel, or 3 (blue, green, red), or 4 (and alpha), of 1 or 2 bytes
/// in native order.
struct FoveaDecodedPicture {
  const std::uint8_t* data;
  std::int64_t stride;  ///< bytes from one row to the next
  std::int32_t width;
  std::int32_t height;
  std::int32_t channels;
  std::int32_t value_bytes;
  void* owner;  ///< for release
};

/// Fills `picture`, which has to be released, for FOVEA_DECODE_OK; else writes why not to
/// `message`, cut to message_bytes with the final zero. Thread-safe.
typedef std::int32_t (*FoveaDecodeFunction)(const std::uint8_t* bytes,
                                            std::size_t size,
                                            struct FoveaDecodedPicture* picture,
                                            char* message,
                                            std::size_t message_bytes);
typedef void (*FoveaReleaseFunction)(struct FoveaDecodedPicture* picture);

/// What the module exports under the name FOVEA_DECODE_SYMBOL.
struct FoveaDecodeModule {
  std::int32_t version;  ///< kFoveaDecodeVersion of the sources that the module was built from
  FoveaDecodeFunction decode;
  FoveaReleaseFunction release;
};
}

namespace fovea {

inline constexpr std::int32_t kDecodeModuleVersion = 1;
inline constexpr const char* kDecodeModuleSymbol = "fovea_decode_module";

}  // namespace fovea
