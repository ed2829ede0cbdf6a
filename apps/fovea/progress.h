// A progress line on a terminal.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <thread>

namespace fovea::app {

/// Shows "123/1000 pictures, 95 a second, 9 s left" on standard error, where that is a terminal, at
/// most ten times a second. Not thread-safe.
class Progress {
 public:
  /// `rows_on_stdout`: on a terminal the rows themselves are the progress.
  Progress(std::optional<std::size_t> total, bool rows_on_stdout);

  /// Clears the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// One more is done.
  void advance();

 private:
  std::optional<std::size_t> total_;
  bool shown_ = false;
  bool enabled_;
  std::size_t done_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_ = start_;
};

/// Shows "WHAT, 9 s" on standard error, where that is a terminal, from the first second on.
class ElapsedLine {
 public:
  explicit ElapsedLine(std::string_view what);

  /// Clears the line.
  ~ElapsedLine();
  ElapsedLine(const ElapsedLine&) = delete;
  ElapsedLine& operator=(const ElapsedLine&) = delete;

 private:
  std::jthread clock_;
};

}  // namespace fovea::app
