// The C interface between the library and libfovea_decode_opencv.so.
//
// OpenCV's imgcodecs pulls in 50 MB of libraries and 70 ms of start-up, so it is linked to this
// module alone, which is loaded at the first picture that needs it. No C++ type and no exception
// crosses the boundary: everything here is a C type.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fovea {

// What FoveaDecodeFunction returns.
inline constexpr std::int32_t kDecodeOk = 0;
inline constexpr std::int32_t kDecodeCorrupt = 1;      ///< no picture came out
inline constexpr std::int32_t kDecodeUnsupported = 2;  ///< one of another depth or two channels did
inline constexpr std::int32_t kDecodeNoMemory = 3;

/// Version of this interface.
inline constexpr std::int32_t kDecodeModuleVersion = 1;

/// The one name that the module exports: a FoveaDecodeModule.
inline constexpr const char* kDecodeModuleSymbol = "fovea_decode_module";

}  // namespace fovea

extern "C" {

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

/// Fills `picture`, which has to be released, and returns kDecodeOk; or writes why not to
/// `message`, cut to message_bytes with the final zero. Thread-safe.
using FoveaDecodeFunction = std::int32_t (*)(const std::uint8_t* bytes,
                                             std::size_t size,
                                             FoveaDecodedPicture* picture,
                                             char* message,
                                             std::size_t message_bytes);
using FoveaReleaseFunction = void (*)(FoveaDecodedPicture* picture);

struct FoveaDecodeModule {
  std::int32_t version;  ///< kDecodeModuleVersion of the sources that the module was built from
  FoveaDecodeFunction decode;
  FoveaReleaseFunction release;
};
}
