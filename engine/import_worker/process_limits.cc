#include "engine/import_worker/process_limits.h"

#include <csignal>

#include <sys/resource.h>

namespace fovea {

namespace {

void limit(__rlimit_resource resource, std::uint64_t value) {
  ::rlimit limits{};
  ::getrlimit(resource, &limits);
  limits.rlim_max = limits.rlim_max < value ? limits.rlim_max : value;
  limits.rlim_cur = limits.rlim_max;
  ::setrlimit(resource, &limits);
}

}  // namespace

ProcessLimits limits_for(std::uint64_t file_bytes) {
  constexpr std::uint64_t kMiB = 1 << 20;
  // Once in the parser's messages, once with the weights in another order, and room for the rest.
  return {.memory_bytes = 64 * kMiB + 4 * file_bytes,
          .output_bytes = 16 * kMiB + 2 * file_bytes,
          .processor_seconds = 30};
}

bool limits_memory() {
  return FOVEA_LIMIT_MEMORY;
}

void set_process_limits(const ProcessLimits& limits) {
  limit(RLIMIT_CORE, 0);
  if (limits_memory()) limit(RLIMIT_DATA, limits.memory_bytes);
  // The failed write is told as such; the signal would end the process without a word.
  std::signal(SIGXFSZ, SIG_IGN);
  limit(RLIMIT_FSIZE, limits.output_bytes);
  // The signal at the soft limit would come again every second, up to the hard one.
  limit(RLIMIT_CPU, limits.processor_seconds);
}

}  // namespace fovea
