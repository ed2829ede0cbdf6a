// Whether work is done by several threads at once, however busy the machine is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <set>
#include <thread>

namespace fovea::test {

/// Threads that wait for each other. Thread-safe.
class Meeting {
 public:
  /// Returns when a second thread has come, or nobody did for ten seconds.
  void come() {
    constexpr std::chrono::seconds kPatience{10};
    std::unique_lock lock(mutex_);
    threads_.insert(std::this_thread::get_id());
    came_.notify_all();
    late_ = late_ || !came_.wait_for(lock, kPatience, [&] { return late_ || threads_.size() > 1; });
  }

  /// That have come.
  [[nodiscard]] std::size_t size() {
    const std::scoped_lock lock(mutex_);
    return threads_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::set<std::thread::id> threads_;
  bool late_ = false;  ///< somebody waited in vain: nobody else need
};

}  // namespace fovea::test
