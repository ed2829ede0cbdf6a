// The picture files that a command line names.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "apps/fovea/line_reader.h"

namespace fovea::app {

/// Walks the PATH arguments in order: files as they are, folders recursively (files with an image
/// extension, sorted by path), "-" as one such path a line on standard input, read as it is needed.
/// A folder without a picture, or one that cannot be read, is given as its own path, so that it
/// becomes an error row.
class PicturePaths {
 public:
  /// `stop`: a descriptor; once it is readable there are no more paths, and waiting for standard
  /// input ends.
  PicturePaths(const std::vector<std::string>& arguments, int stop);

  /// The next path, or nothing at the end. Throws io/read and argument/invalid, as LineReader does.
  [[nodiscard]] std::optional<std::string> next();

  /// How many paths there are, where that is known before standard input is read.
  [[nodiscard]] std::optional<std::size_t> count() const { return count_; }

 private:
  /// What an argument or a line of standard input stands for; "-" stays.
  static std::vector<std::string> expand(const std::string& argument);

  std::deque<std::string> paths_;
  std::deque<std::string> of_line_;  ///< what the last line of standard input stands for
  LineReader input_;
  std::optional<std::size_t> count_;
};

/// What is said of a folder that is given as its own path.
[[nodiscard]] std::string no_picture_in(const std::string& folder);

}  // namespace fovea::app
