// The parts of an operation on a team of threads.
#pragma once

#include <cstdint>

#include <omp.h>

namespace fovea::cpu {

/// Cycles that it takes to wake threads and to wait for them, on a Zen 4 core: a team pays where it
/// saves more.
inline constexpr std::int64_t kTeamCycles = 6000;

/// Calls run_part(i) for each i below `parts`, on as many OpenMP threads, and waits. A single part
/// runs on the calling thread.
template <typename RunPart>
void run_parts(int parts, const RunPart& run_part) {
  if (parts == 1) return run_part(0);
#pragma omp parallel num_threads(parts)
  {
    // A team may be smaller than what was asked for.
    for (int i = omp_get_thread_num(); i < parts; i += omp_get_num_threads()) run_part(i);
  }
}

}  // namespace fovea::cpu
