// One emulated block: the scheduler of its threads and what they meet at.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <source_location>
#include <string>
#include <vector>

#include <cuda_runtime_api.h>

#include "kernels/simt/async_copies.h"
#include "kernels/simt/emulator.h"
#include "kernels/simt/fiber.h"
#include "kernels/simt/shared_memory.h"

namespace simt {

/// Where a thread is: what kernels see as threadIdx, blockIdx, blockDim and gridDim.
struct Coordinates {
  uint3 thread;
  uint3 block;
  dim3 block_size;
  dim3 grid_size;
};

/// Those of the running thread; null outside kernels.
extern thread_local const Coordinates* current;

/// What the lanes of a warp do together.
enum class WarpOperation : std::uint8_t { kSync, kShuffle, kBallot, kCollective };

inline constexpr int kWarpSize = 32;

/// What the lanes of a whole warp bring to a collective, by lane.
using WarpLanes = std::array<void*, kWarpSize>;

/// What a warp does at once, by whichever lane comes last.
using Collective = void (*)(const WarpLanes& lanes);

/// Runs the threads of one block after the other, on one OS thread. Where races are looked for, a
/// Block serves one block only, and lives until the launch is over: memory that another block used
/// before would look shared.
class Block {
 public:
  /// Starts and finishes all threads. Throws what a thread throws; EmulationError for a deadlock.
  void run(const std::function<void()>& kernel,
           const Coordinates& first_thread,
           std::size_t shared_bytes,
           Schedule schedule,
           std::mt19937& random);

  /// Called by a thread: waits for all threads that have not returned. `site` tells calls apart.
  void barrier(const std::source_location& site);

  /// Called by a thread: waits for the lanes in `mask` that have not returned, then gives the value
  /// of lane `source_lane` (kShuffle), the lanes with values other than 0 (kBallot), or 0 (kSync).
  std::uint64_t warp_operation(WarpOperation operation,
                               std::uint32_t mask,
                               std::uint64_t value,
                               int source_lane);

  /// Called by a thread: waits until all lanes of the warp are at the same collective with
  /// something of theirs, on which it is then run. Throws EmulationError where the warp has fewer
  /// lanes.
  void warp_collective(Collective work, void* lane);

  SharedMemory& shared() { return shared_; }

  /// Those of the running thread.
  AsyncCopies& copies() { return threads_[running_].copies; }

 private:
  enum class State : std::uint8_t { kNew, kReady, kAtBarrier, kAtWarpOperation, kDone };

  struct Thread {
    Coordinates coordinates;
    Fiber fiber;
    State state = State::kNew;
    std::source_location site;
    WarpOperation operation = WarpOperation::kSync;
    std::uint32_t mask = 0;
    std::uint64_t value = 0;
    int source_lane = 0;
    Collective collective = nullptr;
    void* brought = nullptr;
    AsyncCopies copies;
  };

  void place_threads(const Coordinates& first_thread);
  void schedule_until_done(const std::function<void()>& kernel,
                           Schedule schedule,
                           std::mt19937& random);
  bool run_ready_threads(const std::function<void()>& kernel);
  bool release_barrier();
  bool release_abandoned_warps();
  bool complete_warp_operation(std::size_t index);

  /// One bit per lane of the warp at `begin` that takes part and has a value other than 0; nothing
  /// while a lane that `asking` waits for is not there yet.
  [[nodiscard]] std::optional<std::uint64_t> ballot_of(const Thread& asking,
                                                       std::size_t begin,
                                                       std::size_t lanes) const;
  [[nodiscard]] std::uint64_t shuffled_value(const Thread& reader, std::size_t warp_begin) const;
  void run_collective(Collective work, std::size_t warp_begin);
  [[noreturn]] void report_deadlock() const;

  std::deque<Thread> threads_;  ///< those behind size_ are kept for larger blocks
  std::size_t size_ = 0;
  std::size_t alive_ = 0;
  std::size_t running_ = 0;
  std::vector<std::size_t> order_;
  SharedMemory shared_;

  // Tokens of the race detector. The first threads may be at the next barrier before the last have
  // left this one, hence two.
  std::array<char, 2> barrier_tokens_{};
  std::size_t barrier_phase_ = 0;
  std::array<char, 1024 / kWarpSize> warp_tokens_{};
};

/// The block that runs on this OS thread; null outside kernels.
extern thread_local Block* running_block;

}  // namespace simt
