#include "kernels/simt/block.h"

#include <algorithm>
#include <numeric>

namespace simt {

namespace {

std::string text_of(uint3 index) {
  return "(" + std::to_string(index.x) + "," + std::to_string(index.y) + "," +
         std::to_string(index.z) + ")";
}

std::string place_of(const Coordinates& coordinates) {
  return "thread " + text_of(coordinates.thread) + " of block " + text_of(coordinates.block);
}

std::string text_of(const std::source_location& site) {
  return std::string(site.file_name()) + ":" + std::to_string(site.line());
}

/// All threads of a block run the same translation unit, so equal names are one string.
bool same_place(const std::source_location& a, const std::source_location& b) {
  return a.line() == b.line() && a.column() == b.column() && a.file_name() == b.file_name();
}

bool in_mask(std::uint32_t mask, std::size_t lane) {
  return (mask >> lane & 1U) != 0;
}

}  // namespace

thread_local const Coordinates* current = nullptr;
thread_local Block* running_block = nullptr;

void Block::run(const std::function<void()>& kernel,
                const Coordinates& first_thread,
                std::size_t shared_bytes,
                Schedule schedule,
                std::mt19937& random) {
  shared_.reset(shared_bytes);
  place_threads(first_thread);
  try {
    schedule_until_done(kernel, schedule, random);
  } catch (...) {
    for (Thread& thread : threads_) thread.fiber.reset();
    throw;
  }
}

void Block::place_threads(const Coordinates& first_thread) {
  const dim3 block = first_thread.block_size;
  size_ = std::size_t{block.x} * block.y * block.z;
  alive_ = size_;
  while (threads_.size() < size_) threads_.emplace_back();
  for (std::size_t i = 0; i < size_; ++i) {
    const auto index = static_cast<unsigned>(i);
    threads_[i].coordinates = first_thread;
    threads_[i].coordinates.thread = {
        index % block.x, index / block.x % block.y, index / (block.x * block.y)};
    threads_[i].state = State::kNew;
    threads_[i].copies.reset();
  }
}

void Block::schedule_until_done(const std::function<void()>& kernel,
                                Schedule schedule,
                                std::mt19937& random) {
  order_.resize(size_);
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  if (schedule == Schedule::kReverse) std::reverse(order_.begin(), order_.end());
  while (alive_ > 0) {
    if (schedule == Schedule::kRandom) std::shuffle(order_.begin(), order_.end(), random);
    if (run_ready_threads(kernel) || release_barrier() || release_abandoned_warps()) continue;
    report_deadlock();
  }
}

bool Block::run_ready_threads(const std::function<void()>& kernel) {
  bool progress = false;
  for (const std::size_t index : order_) {
    Thread& thread = threads_[index];
    if (thread.state != State::kNew && thread.state != State::kReady) continue;
    if (thread.state == State::kNew) thread.fiber.start(kernel);
    thread.state = State::kReady;
    running_ = index;
    current = &thread.coordinates;
    progress = true;
    if (!thread.fiber.resume()) continue;
    thread.state = State::kDone;
    --alive_;
    // The race detector would take the next thread's use of this stack for a race.
    if (!sanitizers::detects_races()) thread.fiber.reset();
  }
  return progress;
}

bool Block::release_barrier() {
  const Thread* first = nullptr;
  const Thread* elsewhere = nullptr;
  std::size_t waiting = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    const Thread& thread = threads_[i];
    if (thread.state != State::kAtBarrier) continue;
    ++waiting;
    if (first == nullptr) first = &thread;
    if (!same_place(first->site, thread.site)) elsewhere = &thread;
  }
  if (waiting != alive_) return false;
  if (elsewhere != nullptr) {
    throw EmulationError("threads of one block wait at different calls of __syncthreads(): " +
                         text_of(first->site) + " and " + text_of(elsewhere->site));
  }
  for (std::size_t i = 0; i < size_; ++i) {
    if (threads_[i].state == State::kAtBarrier) threads_[i].state = State::kReady;
  }
  barrier_phase_ ^= 1U;
  return true;
}

bool Block::release_abandoned_warps() {
  for (std::size_t i = 0; i < size_; ++i) {
    // The lanes that it waits for have returned since.
    if (threads_[i].state == State::kAtWarpOperation && complete_warp_operation(i)) return true;
  }
  return false;
}

void Block::report_deadlock() const {
  const auto waits = [](const Thread& thread) {
    return thread.state == State::kAtBarrier || thread.state == State::kAtWarpOperation;
  };
  const auto end = threads_.begin() + static_cast<std::ptrdiff_t>(size_);
  const auto example = std::find_if(threads_.begin(), end, waits);
  throw EmulationError(
      "deadlock: " + std::to_string(alive_) + " threads wait, for example " +
      place_of(example->coordinates) +
      (example->state == State::kAtBarrier ? " at __syncthreads()" : " at a warp operation"));
}

void Block::barrier(const std::source_location& site) {
  Thread& thread = threads_[running_];
  thread.state = State::kAtBarrier;
  thread.site = site;
  char* token = &barrier_tokens_[barrier_phase_];
  sanitizers::release(token);
  thread.fiber.suspend();
  sanitizers::acquire(token);
}

std::uint64_t Block::warp_operation(WarpOperation operation,
                                    std::uint32_t mask,
                                    std::uint64_t value,
                                    int source_lane) {
  const std::size_t index = running_;
  Thread& thread = threads_[index];
  if (!in_mask(mask, index % kWarpSize)) {
    throw EmulationError("a lane is not in its own mask: " + place_of(thread.coordinates));
  }
  thread.state = State::kAtWarpOperation;
  thread.operation = operation;
  thread.mask = mask;
  thread.value = value;
  thread.source_lane = source_lane;

  // Only __syncwarp orders memory; a shuffle is no fence.
  char* token = &warp_tokens_[index / kWarpSize];
  if (operation == WarpOperation::kSync) sanitizers::release(token);
  if (!complete_warp_operation(index)) thread.fiber.suspend();
  if (operation == WarpOperation::kSync) sanitizers::acquire(token);
  return thread.value;
}

void Block::warp_collective(Collective work, void* lane) {
  Thread& thread = threads_[running_];
  thread.collective = work;
  thread.brought = lane;
  (void)warp_operation(WarpOperation::kCollective, ~0U, 0, 0);
}

void Block::run_collective(Collective work, std::size_t warp_begin) {
  WarpLanes lanes{};
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    const std::size_t index = warp_begin + lane;
    if (index >= size_ || threads_[index].state != State::kAtWarpOperation) {
      throw EmulationError("lane " + std::to_string(lane) +
                           " takes no part in what the whole warp does, beside " +
                           place_of(threads_[warp_begin].coordinates));
    }
    lanes[lane] = threads_[index].brought;
  }
  work(lanes);
}

bool Block::complete_warp_operation(std::size_t index) {
  const Thread& asking = threads_[index];
  const std::size_t begin = index / kWarpSize * kWarpSize;
  const std::size_t lanes = std::min<std::size_t>(kWarpSize, size_ - begin);
  const std::optional<std::uint64_t> ballot = ballot_of(asking, begin, lanes);
  if (!ballot) return false;
  if (asking.operation == WarpOperation::kCollective) run_collective(asking.collective, begin);

  std::array<std::uint64_t, kWarpSize> results{};
  const auto takes_part = [&](std::size_t lane) {
    return in_mask(asking.mask, lane) && threads_[begin + lane].state == State::kAtWarpOperation;
  };
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    if (!takes_part(lane)) continue;
    if (asking.operation == WarpOperation::kBallot) results[lane] = *ballot;
    if (asking.operation == WarpOperation::kShuffle) {
      results[lane] = shuffled_value(threads_[begin + lane], begin);
    }
  }
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    if (!takes_part(lane)) continue;
    threads_[begin + lane].value = results[lane];
    threads_[begin + lane].state = State::kReady;
  }
  return true;
}

std::optional<std::uint64_t> Block::ballot_of(const Thread& asking,
                                              std::size_t begin,
                                              std::size_t lanes) const {
  std::uint64_t ballot = 0;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const Thread& other = threads_[begin + lane];
    if (!in_mask(asking.mask, lane) || other.state == State::kDone) continue;
    if (other.state != State::kAtWarpOperation) return std::nullopt;
    const bool same =
        other.mask == asking.mask && other.operation == asking.operation &&
        (asking.operation != WarpOperation::kCollective || other.collective == asking.collective);
    if (!same) {
      throw EmulationError("lanes of one warp are at different warp operations: " +
                           place_of(other.coordinates) + " and " + place_of(asking.coordinates));
    }
    if (other.value != 0) ballot |= std::uint64_t{1} << lane;
  }
  return ballot;
}

std::uint64_t Block::shuffled_value(const Thread& reader, std::size_t warp_begin) const {
  const auto lane = static_cast<std::size_t>(reader.source_lane);
  const std::size_t source = warp_begin + lane;
  if (source >= size_ || !in_mask(reader.mask, lane) ||
      threads_[source].state != State::kAtWarpOperation) {
    throw EmulationError("a shuffle reads lane " + std::to_string(lane) +
                         ", which takes no part: " + place_of(reader.coordinates));
  }
  return threads_[source].value;
}

}  // namespace simt
