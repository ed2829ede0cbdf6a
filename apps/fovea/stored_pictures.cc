#include "apps/fovea/stored_pictures.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "apps/fovea/picture_paths.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30U;

std::vector<std::byte> read_bytes(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::vector<std::byte> bytes;
  std::array<char, 65'536> piece{};
  while (file.read(piece.data(), piece.size()) || file.gcount() > 0) {
    const auto part =
        std::as_bytes(std::span(piece).first(static_cast<std::size_t>(file.gcount())));
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  if (!file.is_open() || file.bad()) {
    throw Error(ErrorCode::kIoRead, "cannot read '" + path + "': " + std::strerror(errno));
  }
  return bytes;
}

bool is_jpeg(std::span<const std::byte> bytes) {
  constexpr std::array kStart{std::byte{0xFF}, std::byte{0xD8}, std::byte{0xFF}};
  return bytes.size() > kStart.size() && std::equal(kStart.begin(), kStart.end(), bytes.begin());
}

std::size_t size_of(const StoredPicture& picture) {
  return picture.bytes.size() + picture.pixels.bytes();
}

/// What `load` makes of the folder's files; it gives nothing for one that is left out.
std::vector<StoredPicture> read_folder(
    const std::string& folder,
    const std::function<std::optional<StoredPicture>(const std::string& path)>& load) {
  PicturePaths paths({folder}, /*stop=*/-1);
  std::vector<StoredPicture> pictures;
  std::size_t bytes = 0;
  std::size_t left_out = 0;
  bool full = false;
  while (const auto path = paths.next()) {
    std::error_code error;
    if (std::filesystem::is_directory(*path, error)) {
      throw Error(ErrorCode::kIoRead, no_picture_in(*path));
    }
    std::optional<StoredPicture> picture = load(*path);
    if (!picture) {
      ++left_out;
      continue;
    }
    bytes += size_of(*picture);
    full = bytes > kMostBytes && !pictures.empty();
    if (full) break;
    pictures.push_back(*std::move(picture));
  }
  if (pictures.empty()) return pictures;
  const std::string name = one_line(folder);
  if (left_out != 0) {
    std::fprintf(stderr, "%s: files that are no JPEG, left out: %zu\n", name.c_str(), left_out);
  }
  if (full) {
    std::fprintf(stderr,
                 "%s: more than 1 GiB; only the first %zu are used\n",
                 name.c_str(),
                 pictures.size());
  }
  return pictures;
}

}  // namespace

std::vector<StoredPicture> read_jpegs(const std::string& folder) {
  auto pictures = read_folder(folder, [](const std::string& path) -> std::optional<StoredPicture> {
    StoredPicture picture{path, read_bytes(path), {}};
    if (!is_jpeg(picture.bytes)) return std::nullopt;
    return picture;
  });
  if (!pictures.empty()) return pictures;
  throw InvalidArgument("there is no JPEG file in '" + folder +
                        "'; --from pixels takes every format of picture");
}

std::vector<StoredPicture> read_pixels(const std::string& folder, ColorMode color) {
  return read_folder(folder, [&](const std::string& path) -> std::optional<StoredPicture> {
    const std::vector<std::byte> bytes = read_bytes(path);
    try {
      return StoredPicture{path, {}, decode(bytes, color)};
    } catch (const Error& error) {
      throw Error(error.code(), path + ": " + error.what());
    }
  });
}

}  // namespace fovea::app
