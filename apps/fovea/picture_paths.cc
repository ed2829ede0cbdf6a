#include "apps/fovea/picture_paths.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <iostream>
#include <string_view>
#include <utility>

namespace fovea::app {

namespace {

constexpr std::array<std::string_view, 13> kExtensions{".jpg",
                                                       ".jpeg",
                                                       ".jpe",
                                                       ".png",
                                                       ".bmp",
                                                       ".gif",
                                                       ".webp",
                                                       ".tif",
                                                       ".tiff",
                                                       ".ppm",
                                                       ".pgm",
                                                       ".pnm",
                                                       ".jfif"};

bool has_image_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

}  // namespace

PicturePaths::PicturePaths(const std::vector<std::string>& arguments) {
  bool known = true;
  for (const std::string& argument : arguments) {
    known = known && argument != "-";
    for (std::string& path : expand(argument)) paths_.push_back(std::move(path));
  }
  if (known) count_ = paths_.size();
}

std::vector<std::string> PicturePaths::expand(const std::string& argument) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (argument == "-" || !fs::is_directory(argument, error)) return {argument};
  std::vector<std::string> found;
  fs::recursive_directory_iterator entry(
      argument, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && has_image_extension(entry->path())) {
      found.push_back(entry->path().string());
    }
  }
  std::sort(found.begin(), found.end());
  if (found.empty()) found.push_back(argument);
  return found;
}

std::optional<std::string> PicturePaths::next() {
  while (!paths_.empty()) {
    if (paths_.front() != "-") {
      std::string path = std::move(paths_.front());
      paths_.pop_front();
      return path;
    }
    std::string line;
    while (std::getline(std::cin, line)) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (!line.empty()) return line;
    }
    paths_.pop_front();
  }
  return std::nullopt;
}

}  // namespace fovea::app
