// Runs kernels on the CPU, for tests: grids of blocks of threads with real barriers and shuffles.
//
// Every CUDA thread is a fiber, and the fibers of a block run one at a time until they wait for
// each other, in one of three orders. A kernel that works in all orders, on poisoned shared memory
// and under the sanitizers has no missing barrier that a value depends on. It is no model of speed,
// of weak memory order or of the GPU's arithmetic: transcendental functions are the host's, and
// products are not contracted into fused multiply-adds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>

#include <cuda_runtime_api.h>

namespace simt {

/// The order in which the threads of a block are run; kRandom is drawn anew after every wait.
enum class Schedule : std::uint8_t { kForward, kReverse, kRandom };

/// Sets the order for all launches that run from now on, in every OS thread. `seed` is that of
/// kRandom.
void set_schedule(Schedule schedule, std::uint32_t seed = 1);

/// A kernel broke a rule of the execution model: threads at different barriers, a shuffle from a
/// lane that takes no part, a deadlock, too much shared memory, a misaligned vector access.
class EmulationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a launch with this geometry would return: cudaErrorInvalidConfiguration for a grid or block
/// that no device takes, cudaErrorInvalidValue for more than 48 KiB of shared memory.
[[nodiscard]] cudaError_t check_launch(dim3 grid, dim3 block, std::size_t shared_bytes);

/// Runs `kernel` once for every thread of the grid and returns when all are done. Rethrows what the
/// kernel throws, EmulationError among it. The geometry must have passed check_launch.
void run_grid(const std::function<void()>& kernel, dim3 grid, dim3 block, std::size_t shared_bytes);

}  // namespace simt
