#include "engine/importers/file_format.h"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "engine/core/file.h"

namespace fovea {

namespace {

using namespace std::string_view_literals;

struct Mark {
  std::size_t offset;
  std::string_view bytes;
  FileFormat format;
};

constexpr std::array<Mark, 4> kMarks{{
    {0, "\x89HDF\r\n\x1a\n"sv, FileFormat::kHdf5},
    {0, "PK\x03\x04"sv, FileFormat::kZip},
    {4, "TFL3"sv, FileFormat::kTensorFlowLite},
    {4, "\0\0\0\0{\""sv, FileFormat::kSafetensors},
}};

}  // namespace

FileFormat file_format(std::span<const std::byte> content) {
  const std::string_view bytes(reinterpret_cast<const char*>(content.data()), content.size());
  for (const Mark& mark : kMarks) {
    if (bytes.size() < mark.offset) continue;
    if (bytes.substr(mark.offset).starts_with(mark.bytes)) return mark.format;
  }
  return FileFormat::kOther;
}

FileFormat file_format(const std::filesystem::path& file) {
  const std::string start = read_start(file, 16);
  return file_format(std::as_bytes(std::span(start)));
}

}  // namespace fovea
