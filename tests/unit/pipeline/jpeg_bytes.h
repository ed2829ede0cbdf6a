// JPEG files for tests: encoded pictures, and headers and scans put together by hand.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

#include <fovea/image.h>

namespace fovea::test {

/// How encode_jpeg encodes.
struct JpegOptions {
  bool progressive = false;
  int restart_rows = 0;  ///< rows of blocks between restart markers
};

/// The picture (gray or RGB) as a JPEG file of quality 90.
[[nodiscard]] std::vector<std::byte> encode_jpeg(const Image& image,
                                                 const JpegOptions& options = {});

/// Bytes from numbers.
[[nodiscard]] std::vector<std::byte> bytes_of(std::initializer_list<int> values);

/// A segment: marker FF `marker`, its length, its content.
void append_segment(std::vector<std::byte>& file,
                    int marker,
                    const std::vector<std::byte>& content);

/// The start of a JPEG file with `components` components of one block size, up to its frame header.
///
/// frame  marker of the frame: 0xC0 baseline, 0xC2 progressive, 0xC3 lossless
/// bits   of a sample
[[nodiscard]] std::vector<std::byte> jpeg_start(
    int frame, int width, int height, int components = 1, int bits = 8);

/// A complete progressive gray picture, all of one colour: one scan for the mean of every block and
/// `more_scans` that add nothing.
[[nodiscard]] std::vector<std::byte> progressive_jpeg(int width, int height, int more_scans);

}  // namespace fovea::test
