// The built program `fovea` as a user meets it: a process with arguments, streams and an exit code.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "engine/core/descriptor.h"

namespace fovea::test {

/// How a process ended and what it printed.
struct ProgramResult {
  int code = -1;   ///< exit code; -1 where a signal ended it
  int signal = 0;  ///< 0 where it exited
  std::string out;
  std::string err;
  std::int64_t peak_bytes = 0;  ///< most memory that was resident at a time
};

struct ProgramOptions {
  std::filesystem::path program{};         ///< another one in place of the built `fovea`
  std::optional<std::string> input = "";   ///< all of stdin; nothing: it stays open, see Program
  std::filesystem::path input_file{};      ///< what stdin is opened on; empty: a pipe with `input`
  std::filesystem::path output{};          ///< a file for stdout; empty: a pipe
  std::string shell{};                     ///< a command that starts it as "$@"; empty: no shell
  std::filesystem::path folder{};          ///< working folder; empty: the test's own
  std::vector<std::string> environment{};  ///< "NAME=value" besides or instead of the test's own
  std::chrono::seconds limit{60};          ///< then it is killed, which fails the test
};

/// A running `fovea`. Killed by the destructor. Not thread-safe.
class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments, const ProgramOptions& options = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Writes to its stdin, which stays open.
  void write(std::string_view text);

  /// The next line that it prints, without the line's end; waits. Empty where it prints no more.
  [[nodiscard]] std::string read_line();

  /// Waits until it waits for us: what it printed and nobody has read does not grow any more.
  void let_output_fill() const;

  /// Closes our end of its stdout, as `head` does when it has seen enough.
  void close_output();

  void send(int signal) const;

  /// Waits for the end; stdin is closed once `options.input` was written. `out` is what read_line()
  /// has not given.
  [[nodiscard]] ProgramResult wait();

 private:
  /// Moves bytes between us and the process until both outputs ended (or `until_line`: until a line
  /// is there).
  void pump(bool until_line);

  ProgramOptions options_;
  std::chrono::steady_clock::time_point deadline_;
  pid_t process_ = -1;
  Descriptor input_;
  Descriptor output_;
  Descriptor errors_;
  std::string out_;
  std::string err_;
};

/// Runs it to its end.
[[nodiscard]] ProgramResult run_program(const std::vector<std::string>& arguments,
                                        const ProgramOptions& options = {});

/// The lines of a text; the last one must be complete, else it is given with "<no newline>".
[[nodiscard]] std::vector<std::string> lines_of(std::string_view text);

/// Columns of the widest line, in code points.
[[nodiscard]] std::size_t widest_line(std::string_view text);

}  // namespace fovea::test
