#include "kernels/simt/emulator.h"

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/simt/block.h"

namespace simt {

namespace {

std::atomic<Schedule> chosen_schedule = Schedule::kForward;
std::atomic<std::uint32_t> chosen_seed = 1;

/// So many threads are kept for the race detector, which has room for about 8,000; blocks farther
/// apart than this are not compared.
constexpr std::uint64_t kRacingThreads = 4096;

std::uint64_t volume(dim3 size) {
  return std::uint64_t{size.x} * size.y * size.z;
}

/// Makes a block the running one, and the one before it again at the end.
class RunningBlock {
 public:
  explicit RunningBlock(Block& block) : before_(std::exchange(running_block, &block)) {}

  RunningBlock(const RunningBlock&) = delete;
  RunningBlock& operator=(const RunningBlock&) = delete;

  ~RunningBlock() {
    running_block = before_;
    current = nullptr;
  }

 private:
  Block* before_;
};

}  // namespace

void set_schedule(Schedule schedule, std::uint32_t seed) {
  chosen_schedule = schedule;
  chosen_seed = seed;
}

cudaError_t check_launch(dim3 grid, dim3 block, std::size_t shared_bytes) {
  constexpr unsigned kMaxBlockThreads = 1024;
  constexpr unsigned kMaxBlockDepth = 64;
  constexpr unsigned kMaxGridRows = 65535;
  constexpr unsigned kMaxGridColumns = 0x7fff'ffff;
  if (volume(block) == 0 || volume(block) > kMaxBlockThreads || block.z > kMaxBlockDepth ||
      volume(grid) == 0 || grid.x > kMaxGridColumns || grid.y > kMaxGridRows ||
      grid.z > kMaxGridRows) {
    return cudaErrorInvalidConfiguration;
  }
  return shared_bytes > kSharedBytes ? cudaErrorInvalidValue : cudaSuccess;
}

void run_grid(const std::function<void()>& kernel,
              dim3 grid,
              dim3 block,
              std::size_t shared_bytes) {
  if (running_block != nullptr) throw EmulationError("a kernel launches a kernel");

  // The race detector's view: the launch comes before every thread, and every thread before what
  // follows the launch; nothing else is ordered, blocks among each other neither.
  char launched = 0;
  char finished = 0;
  const std::function<void()> thread_body = [&] {
    sanitizers::acquire(&launched);
    kernel();
    sanitizers::release(&finished);
  };
  sanitizers::release(&launched);

  std::mt19937 random(chosen_seed.load());
  std::vector<std::unique_ptr<Block>> used;
  static thread_local std::unique_ptr<Block> reused = std::make_unique<Block>();
  for (std::uint64_t i = 0; i < volume(grid); ++i) {
    const Coordinates first_thread{{0, 0, 0},
                                   {static_cast<unsigned>(i % grid.x),
                                    static_cast<unsigned>(i / grid.x % grid.y),
                                    static_cast<unsigned>(i / grid.x / grid.y)},
                                   block,
                                   grid};
    if (used.size() * volume(block) > kRacingThreads) {
      sanitizers::acquire(&finished);
      used.clear();
    }
    if (sanitizers::detects_races()) used.push_back(std::make_unique<Block>());
    Block& runner = sanitizers::detects_races() ? *used.back() : *reused;
    const RunningBlock running(runner);
    runner.run(thread_body, first_thread, shared_bytes, chosen_schedule.load(), random);
  }
  sanitizers::acquire(&finished);
}

}  // namespace simt
