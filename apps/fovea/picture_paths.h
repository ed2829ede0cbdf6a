// The picture files that a command line names.
#pragma once

#include <cstddef>
#include <deque>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace fovea::app {

/// Walks the PATH arguments in order: files as they are, folders recursively (files with an image
/// extension, sorted by path), "-" as one path a line on standard input, read as it is needed.
/// A folder without a picture is given as its own path, so that it becomes an error row.
class PicturePaths {
 public:
  explicit PicturePaths(const std::vector<std::string>& arguments);

  /// The next path, or nothing at the end.
  [[nodiscard]] std::optional<std::string> next();

  /// How many paths there are, where that is known before standard input is read.
  [[nodiscard]] std::optional<std::size_t> count() const { return count_; }

 private:
  /// What an argument stands for; "-" stays.
  static std::vector<std::string> expand(const std::string& argument);

  std::deque<std::string> paths_;
  std::optional<std::size_t> count_;
};

}  // namespace fovea::app
