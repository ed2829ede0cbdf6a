#include "apps/fovea/picture_paths.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <utility>

#include <unistd.h>

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

namespace fs = std::filesystem;

bool has_image_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

/// Appends what is called like a picture in the folder, readable or not, and at the end of
/// `folders` the folders in it. Links to folders are not followed: they may lead in circles.
void list_folder(const fs::path& folder,
                 std::vector<std::string>& pictures,
                 std::deque<fs::path>& folders) {
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  while (!error && entry != fs::directory_iterator()) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) {
      folders.push_back(entry->path());
    } else if (!entry->is_directory(ignored) && has_image_extension(entry->path())) {
      pictures.push_back(entry->path().string());
    }
    entry.increment(error);
  }
  if (error) pictures.push_back(folder.string());
}

}  // namespace

PicturePaths::PicturePaths(const std::vector<std::string>& arguments, int stop)
    : input_(STDIN_FILENO, stop) {
  bool known = true;
  for (const std::string& argument : arguments) {
    known = known && argument != "-";
    for (std::string& path : expand(argument)) paths_.push_back(std::move(path));
  }
  if (known) count_ = paths_.size();
}

std::vector<std::string> PicturePaths::expand(const std::string& argument) {
  std::error_code error;
  if (argument == "-" || !fs::is_directory(argument, error)) return {argument};
  std::vector<std::string> found;
  for (std::deque<fs::path> folders{argument}; !folders.empty(); folders.pop_front()) {
    list_folder(folders.front(), found, folders);
  }
  std::sort(found.begin(), found.end());
  if (found.empty()) found.push_back(argument);
  return found;
}

std::optional<std::string> PicturePaths::next() {
  const auto take = [](std::deque<std::string>& paths) {
    std::string path = std::move(paths.front());
    paths.pop_front();
    return path;
  };
  while (of_line_.empty() && !paths_.empty()) {
    if (paths_.front() != "-") return take(paths_);
    const std::optional<std::string> line = input_.next();
    if (!line) {
      paths_.pop_front();
    } else if (!line->empty()) {
      for (std::string& path : expand(*line)) of_line_.push_back(std::move(path));
    }
  }
  if (of_line_.empty()) return std::nullopt;
  return take(of_line_);
}

std::string no_picture_in(const std::string& folder) {
  return "there is no picture in '" + folder + "', or the folder cannot be read";
}

}  // namespace fovea::app
