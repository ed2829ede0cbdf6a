// Running another program for a bounded time and with bounded output.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace fovea {

enum class ChildEnd : std::uint8_t { kExited, kSignalled, kTimedOut, kStopped };

/// How a child process ended and what it said.
struct ChildResult {
  ChildEnd end = ChildEnd::kExited;
  int code = 0;        ///< exit status, or the signal's number; else 0
  std::string output;  ///< the first 64 KiB of its standard output
  std::string errors;  ///< the last 4 KiB of its standard error
};

/// Starts `program`, a path or a name without '/' that is looked for in $PATH, with `arguments`
/// (without the program's name) and waits for its end. It gets no input, none of our descriptors,
/// default signal handling and a process group of its own, which is killed as a whole after
/// `limit`, or when `stop`, which is asked some fifty times a second, says true.
///
/// Where this process ignores SIGCHLD nobody learns the exit status: it is then 0 unless the child
/// wrote to its standard output.
/// Throws Error (io/read) where the program cannot be started. Thread-safe.
[[nodiscard]] ChildResult run_child(const std::filesystem::path& program,
                                    const std::vector<std::string>& arguments,
                                    std::chrono::milliseconds limit,
                                    const std::function<bool()>& stop = {});

}  // namespace fovea
