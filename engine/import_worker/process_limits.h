// Limits on what this process may use, so that no file can make it take the machine down.
#pragma once

#include <cstdint>
#include <optional>

namespace fovea {

struct ProcessLimits {
  std::uint64_t memory_bytes = 0;  ///< writable private memory
  std::uint64_t output_bytes = 0;  ///< of every file that is written
  std::uint64_t processor_seconds = 0;
};

/// What reading a foreign file of that size may take.
[[nodiscard]] ProcessLimits limits_for(std::uint64_t file_bytes);

/// Whether memory is limited: not in a build with the address or thread sanitizer, which map
/// terabytes for themselves.
[[nodiscard]] bool limits_memory();

/// Sets the limits, for good; those that are lower already stay. Beyond them allocations fail,
/// writing fails, and SIGXCPU ends the process. No core file is written. Throws Error (internal)
/// where a limit cannot be set.
void set_process_limits(const ProcessLimits& limits);

/// The bytes that a file may have in the end, where a write failed because of that limit.
[[nodiscard]] std::optional<std::uint64_t> output_limit_hit();

}  // namespace fovea
