// Emulated CUDA streams: work that waits in a queue until somebody waits for it.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include <cuda_runtime_api.h>

namespace simt {

using Work = std::function<void()>;

/// Which of several streams goes on. A stream is ready where its next work waits for no other
/// stream; every order in which ready streams take turns is one that a device may choose.
enum class StreamOrder : std::uint8_t {
  kOnDemand,  ///< only what somebody waits for is run, and that as late as possible
  kRandom,  ///< whenever something is enqueued, ready streams may go on by any number of pieces of
            ///< work; whenever somebody waits, any ready stream does until they need not wait
};

/// Sets the order for all streams from now on. `seed` is that of kRandom, which draws anew from it.
void set_stream_order(StreamOrder order, std::uint32_t seed = 1);

/// A queue of work in order. Nothing runs before somebody enqueues or waits, and in the order
/// kOnDemand nothing before run_until() or synchronize(), so that a result that is used without
/// waiting is visibly not there. One emulated device runs one thing at a time: all streams share a
/// lock, and may be used by several threads.
///
/// Where a piece of work throws, the device has failed: all that waits in any stream is dropped,
/// and every stream that lost work, or waits for one that did, throws it at the next wait for it.
class Stream {
 public:
  Stream();
  virtual ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// The stream as launchers take it; valid as long as this object.
  [[nodiscard]] cudaStream_t handle() { return reinterpret_cast<cudaStream_t>(this); }

  static Stream& from(cudaStream_t handle) { return *reinterpret_cast<Stream*>(handle); }

  /// Appends work; records it instead while capturing.
  void enqueue(Work work);

  /// What is enqueued from now on runs after the first `position` pieces of work of `other`.
  /// Throws EmulationError while capturing: a replay cannot wait for what is outside of it.
  void enqueue_wait(std::shared_ptr<Stream> other, std::uint64_t position);

  /// Number of all work enqueued so far: what run_until() takes to wait for it.
  [[nodiscard]] std::uint64_t position() const;

  /// Runs what is not done of the first `position` pieces of work, and of other streams what that
  /// waits for. Throws once what a piece of work threw.
  void run_until(std::uint64_t position);

  void synchronize() { run_until(position()); }

  /// From now on work is recorded and not run. Throws EmulationError if that is so already.
  void begin_capture();

  /// The recorded work, which may be enqueued again any number of times.
  /// Throws EmulationError outside of a capture.
  [[nodiscard]] std::vector<Work> end_capture();

 protected:
  /// Called by the thread that enqueues work, first of all: throws where it may not.
  virtual void before_enqueue() const {}

 private:
  /// A piece of work, or a wait for another stream.
  struct Item {
    Work work;
    std::shared_ptr<Stream> other;
    std::uint64_t position = 0;
  };

  void append(Item item);
  [[nodiscard]] bool is_ready() const;
  [[nodiscard]] Stream& next_to_run();
  void run_one();
  static void run_some();
  void fail(const std::exception_ptr& error);

  std::deque<Item> waiting_;
  std::uint64_t done_ = 0;
  std::exception_ptr error_;  ///< until somebody waits
  std::vector<Work> recorded_;
  bool capturing_ = false;
};

/// Appends work to an emulated stream; runs it at once where `stream` is null.
void enqueue(cudaStream_t stream, Work work);

}  // namespace simt
