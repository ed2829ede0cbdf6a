#include "tests/unit/pipeline/jpeg_bytes.h"

#include <cstdint>
#include <cstdio>  // jpeglib.h needs FILE
#include <cstdlib>
#include <memory>

#include <jpeglib.h>

namespace fovea::test {

std::vector<std::byte> encode_jpeg(const Image& image, const JpegOptions& options) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &data, &size);
  const bool is_rgb = image.format() == PixelFormat::kRgb8;
  jpeg.image_width = static_cast<JDIMENSION>(image.width());
  jpeg.image_height = static_cast<JDIMENSION>(image.height());
  jpeg.input_components = is_rgb ? 3 : 1;
  jpeg.in_color_space = is_rgb ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 90, TRUE);
  jpeg.restart_in_rows = options.restart_rows;
  if (options.progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<std::uint8_t> row(static_cast<std::size_t>(image.stride()));
  for (int y = 0; y < image.height(); ++y) {
    const std::uint8_t* from = image.data() + y * image.stride();
    row.assign(from, from + image.stride());
    JSAMPROW rows = row.data();
    (void)jpeg_write_scanlines(&jpeg, &rows, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> file(bytes, bytes + size);
  // What jpeg_mem_dest allocates is freed this way.
  std::free(data);  // NOLINT(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
  return file;
}

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

void append_segment(std::vector<std::byte>& file,
                    int marker,
                    const std::vector<std::byte>& content) {
  const int length = static_cast<int>(content.size()) + 2;
  const auto head = bytes_of({0xFF, marker, length >> 8, length & 0xFF});
  file.insert(file.end(), head.begin(), head.end());
  file.insert(file.end(), content.begin(), content.end());
}

std::vector<std::byte> jpeg_start(int frame, int width, int height, int components, int bits) {
  std::vector<std::byte> file = bytes_of({0xFF, 0xD8});
  std::vector<std::byte> quantization(65, std::byte{1});
  quantization[0] = std::byte{0};
  append_segment(file, 0xDB, quantization);
  std::vector<std::byte> header =
      bytes_of({bits, height >> 8, height & 0xFF, width >> 8, width & 0xFF, components});
  for (int i = 1; i <= components; ++i) {
    for (const int value : {i, 0x11, 0}) header.push_back(static_cast<std::byte>(value));
  }
  append_segment(file, frame, header);
  return file;
}

std::vector<std::byte> progressive_jpeg(int width, int height, int more_scans) {
  std::vector<std::byte> file = jpeg_start(0xC2, width, height);
  // Both tables have one code, the bit 0: no difference, and "the next 2^14 + n blocks are done".
  for (const int table : {0x00, 0x10}) {
    std::vector<std::byte> codes(18, std::byte{0});
    codes[0] = static_cast<std::byte>(table);
    codes[1] = std::byte{1};
    codes[17] = static_cast<std::byte>(table == 0 ? 0 : 0xE0);
    append_segment(file, 0xC4, codes);
  }
  const std::size_t blocks =
      (static_cast<std::size_t>(width) + 7) / 8 * ((static_cast<std::size_t>(height) + 7) / 8);
  append_segment(file, 0xDA, bytes_of({1, 1, 0x00, 0, 0, 0}));
  file.insert(file.end(), (blocks + 7) / 8, std::byte{0});
  for (int scan = 0; scan < more_scans; ++scan) {
    append_segment(file, 0xDA, bytes_of({1, 1, 0x00, 1, 63, 0}));
    // 15 bits each: the code and n = 0, for 2^14 blocks.
    file.insert(file.end(), ((blocks >> 14U) + 1) * 15 / 8 + 1, std::byte{0});
  }
  for (const std::byte b : bytes_of({0xFF, 0xD9})) file.push_back(b);
  return file;
}

}  // namespace fovea::test
