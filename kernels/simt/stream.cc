#include "kernels/simt/stream.h"

#include <mutex>
#include <utility>

#include "kernels/simt/emulator.h"

namespace simt {

namespace {

/// Recursive: work of one stream may wait for another stream.
std::recursive_mutex& device_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

}  // namespace

void Stream::enqueue(Work work) {
  const std::lock_guard lock(device_mutex());
  if (capturing_) {
    recorded_.push_back(std::move(work));
  } else {
    waiting_.push_back(std::move(work));
  }
}

std::uint64_t Stream::position() const {
  const std::lock_guard lock(device_mutex());
  return done_ + waiting_.size();
}

void Stream::run_until(std::uint64_t position) {
  const std::lock_guard lock(device_mutex());
  while (done_ < position && !waiting_.empty()) {
    const Work work = std::move(waiting_.front());
    waiting_.pop_front();
    try {
      work();
    } catch (...) {
      done_ += 1 + waiting_.size();
      waiting_.clear();
      throw;
    }
    ++done_;
  }
}

void Stream::begin_capture() {
  const std::lock_guard lock(device_mutex());
  if (capturing_) throw EmulationError("the stream is being captured already");
  capturing_ = true;
}

std::vector<Work> Stream::end_capture() {
  const std::lock_guard lock(device_mutex());
  if (!capturing_) throw EmulationError("the stream is not being captured");
  capturing_ = false;
  return std::exchange(recorded_, {});
}

void enqueue(cudaStream_t stream, Work work) {
  if (stream == nullptr) {
    const std::lock_guard lock(device_mutex());
    work();
  } else {
    Stream::from(stream).enqueue(std::move(work));
  }
}

}  // namespace simt
