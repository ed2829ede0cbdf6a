#include "engine/import_worker/process_limits.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <sys/resource.h>

#include "engine/core/require.h"

namespace fovea {

namespace {

volatile std::sig_atomic_t was_output_too_long = 0;

void note_output_limit(int /*signal*/) {
  was_output_too_long = 1;
}

/// Lowers the limits of a resource to `value`, where they are not lower yet, the hard one by
/// `margin` above the soft one.
void limit(__rlimit_resource resource, const char* what, ::rlim_t value, ::rlim_t margin = 0) {
  ::rlimit limits{};
  bool done = ::getrlimit(resource, &limits) == 0;
  if (done) {
    limits.rlim_max = std::min(limits.rlim_max, value + margin);
    const ::rlim_t below = limits.rlim_max - std::min(limits.rlim_max, margin);
    limits.rlim_cur = std::min(limits.rlim_cur, below);
    done = ::setrlimit(resource, &limits) == 0;
  }
  if (done) return;
  throw Error(
      ErrorCode::kInternal,
      cat("cannot limit this process's ", what, ": ", std::generic_category().message(errno)));
}

}  // namespace

ProcessLimits limits_for(std::uint64_t file_bytes) {
  constexpr std::uint64_t kMiB = 1 << 20;
  // Once as it is, once in the parser's messages, once with the weights in another order, and room
  // for the rest.
  return {.memory_bytes = 64 * kMiB + 5 * file_bytes,
          .output_bytes = 16 * kMiB + 2 * file_bytes,
          .processor_seconds = 30};
}

bool limits_memory() {
  return FOVEA_LIMIT_MEMORY;
}

void set_process_limits(const ProcessLimits& limits) {
  limit(RLIMIT_CORE, "core file", 0);
  if (limits_memory()) limit(RLIMIT_DATA, "memory", limits.memory_bytes);
  // Without a handler the signal would end the process without a word.
  std::signal(SIGXFSZ, note_output_limit);
  limit(RLIMIT_FSIZE, "files", limits.output_bytes);
  // At the hard limit comes SIGKILL, which does not say why: SIGXCPU has to come before.
  limit(RLIMIT_CPU, "processor time", limits.processor_seconds, 1);
}

std::optional<std::uint64_t> output_limit_hit() {
  ::rlimit limits{};
  if (was_output_too_long == 0 || ::getrlimit(RLIMIT_FSIZE, &limits) != 0) return std::nullopt;
  return limits.rlim_cur;
}

}  // namespace fovea
