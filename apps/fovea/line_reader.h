// Lines of standard input, as they come.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace fovea::app {

/// Reads lines from a descriptor that it does not own. Not thread-safe.
class LineReader {
 public:
  /// `stop`: a descriptor; once it is readable there are no more lines, and waiting ends.
  LineReader(int descriptor, int stop) : descriptor_(descriptor), stop_(stop) {}

  /// The next line without its end ("\n" or "\r\n"); the last one needs none. Waits for it.
  /// Throws io/read, and argument/invalid for what can be no path: a zero byte, or a line of more
  /// than 64 KiB.
  [[nodiscard]] std::optional<std::string> next();

 private:
  /// Reads more; false at the end and when it is to stop.
  bool fill();

  int descriptor_;
  int stop_;
  std::string buffer_;
  std::size_t begin_ = 0;  ///< of what has not been given out
  std::size_t lines_ = 0;
};

}  // namespace fovea::app
