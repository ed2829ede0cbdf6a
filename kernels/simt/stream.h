// Emulated CUDA streams: work that waits in a queue until somebody waits for it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include <cuda_runtime_api.h>

namespace simt {

using Work = std::function<void()>;

/// A queue of work in order. Nothing runs before run_until() or synchronize(), so that a result
/// that is used without waiting is visibly not there. One emulated device runs one thing at a time:
/// all streams share a lock, and may be used by several threads.
class Stream {
 public:
  /// The stream as launchers take it; valid as long as this object.
  [[nodiscard]] cudaStream_t handle() { return reinterpret_cast<cudaStream_t>(this); }

  static Stream& from(cudaStream_t handle) { return *reinterpret_cast<Stream*>(handle); }

  /// Appends work; records it instead while capturing.
  void enqueue(Work work);

  /// Number of all work enqueued so far: what run_until() takes to wait for it.
  [[nodiscard]] std::uint64_t position() const;

  /// Runs what is not done of the first `position` pieces of work. Where one throws, drops all that
  /// waits in the queue, as a device that has failed, and rethrows.
  void run_until(std::uint64_t position);

  void synchronize() { run_until(position()); }

  /// From now on work is recorded and not run. Throws EmulationError if that is so already.
  void begin_capture();

  /// The recorded work, which may be enqueued again any number of times.
  /// Throws EmulationError outside of a capture.
  [[nodiscard]] std::vector<Work> end_capture();

 private:
  std::deque<Work> waiting_;
  std::uint64_t done_ = 0;
  std::vector<Work> recorded_;
  bool capturing_ = false;
};

/// Appends work to an emulated stream; runs it at once where `stream` is null.
void enqueue(cudaStream_t stream, Work work);

}  // namespace simt
