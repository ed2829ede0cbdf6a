// The load that a benchmark puts on what it measures.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

namespace fovea::app {

/// So many clients, each of which submits a request, waits for its answer and at once submits the
/// next one, until the time is up; requests that are at work then are still answered. Every client
/// submits at least one. Thread-safe.
class ClosedLoop {
 public:
  using Clock = std::chrono::steady_clock;

  /// A request is known by when it was submitted.
  using Request = Clock::time_point;

  /// The clients submit their first requests now.
  ClosedLoop(std::size_t clients, std::chrono::duration<double> duration);

  /// The request that has waited longest, for a thread that will work on it; waits while every
  /// client waits for an answer. Nothing once the time is up, after stop() and after Ctrl-C.
  [[nodiscard]] std::optional<Request> take();

  /// The request is answered.
  void answer(Request request);

  /// No more requests: what answers them has failed.
  void stop();

  /// From submission to answer, of every request that was answered. When all threads are done.
  [[nodiscard]] const std::vector<float>& latencies_ms() const { return latencies_ms_; }

  /// From the first submission to the last answer.
  [[nodiscard]] double seconds() const;

 private:
  /// The caller holds the mutex.
  [[nodiscard]] bool is_over() const;

  const std::size_t clients_;
  const Clock::time_point start_;
  const Clock::time_point end_;
  std::mutex mutex_;  ///< guards everything below
  std::condition_variable submitted_;
  std::deque<Request> waiting_;
  std::size_t taken_ = 0;
  bool stopped_ = false;
  Clock::time_point last_answer_;
  std::vector<float> latencies_ms_;
};

}  // namespace fovea::app
