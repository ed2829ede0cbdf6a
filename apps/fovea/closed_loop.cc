#include "apps/fovea/closed_loop.h"

#include "apps/fovea/interrupt.h"

namespace fovea::app {

namespace {

/// How often a thread that waits for an answer looks whether there will be one.
constexpr std::chrono::milliseconds kLook{50};

}  // namespace

ClosedLoop::ClosedLoop(std::size_t clients, std::chrono::duration<double> duration)
    : clients_(clients),
      start_(Clock::now()),
      end_(start_ + std::chrono::duration_cast<Clock::duration>(duration)),
      waiting_(clients, start_),
      last_answer_(start_) {}

bool ClosedLoop::is_over() const {
  return stopped_ || interrupted() || (taken_ >= clients_ && Clock::now() >= end_);
}

std::optional<ClosedLoop::Request> ClosedLoop::take() {
  std::unique_lock lock(mutex_);
  while (!is_over()) {
    if (!waiting_.empty()) {
      const Request request = waiting_.front();
      waiting_.pop_front();
      ++taken_;
      return request;
    }
    submitted_.wait_for(lock, kLook);
  }
  return std::nullopt;
}

void ClosedLoop::answer(Request request) {
  const std::lock_guard lock(mutex_);
  last_answer_ = Clock::now();
  const std::chrono::duration<float, std::milli> latency = last_answer_ - request;
  latencies_ms_.push_back(latency.count());
  waiting_.push_back(last_answer_);
  submitted_.notify_one();
}

void ClosedLoop::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  submitted_.notify_all();
}

double ClosedLoop::seconds() const {
  return std::chrono::duration<double>(last_answer_ - start_).count();
}

}  // namespace fovea::app
