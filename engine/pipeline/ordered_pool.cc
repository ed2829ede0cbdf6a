#include "engine/pipeline/ordered_pool.h"

#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace fovea {

namespace {

struct Chunk {
  std::size_t sequence = 0;
  std::size_t first_index = 0;
  std::vector<LoadPicture> items;
};

class OrderedPool {
 public:
  explicit OrderedPool(const OrderedRun& run) : run_(run) {}

  void work(std::size_t worker) {
    try {
      while (const std::optional<Chunk> chunk = take()) {
        deliver(*chunk, run_.work(worker, chunk->items));
      }
    } catch (...) {
      stop(std::current_exception());
    }
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  /// The next items, or nothing at the end or after a failure.
  std::optional<Chunk> take() {
    const std::lock_guard source(source_mutex_);
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] { return stopped_ || taken_ - delivered_ < 8 * run_.workers; });
      if (stopped_) return std::nullopt;
    }
    if (at_end_) return std::nullopt;
    Chunk chunk{taken_, next_index_, {}};
    at_end_ = true;  // where next() throws, nobody asks again
    while (chunk.items.size() < run_.chunk) {
      std::optional<LoadPicture> item = run_.next();
      if (!item) break;
      chunk.items.push_back(std::move(*item));
    }
    at_end_ = chunk.items.size() < run_.chunk;
    if (chunk.items.empty()) return std::nullopt;
    next_index_ += chunk.items.size();
    const std::lock_guard lock(mutex_);
    ++taken_;
    return chunk;
  }

  /// Hands results over in order: whoever completes the front of the queue empties what is ready.
  void deliver(const Chunk& chunk, std::vector<Result> results) {
    std::unique_lock lock(mutex_);
    ready_.emplace(chunk.sequence, std::pair(chunk.first_index, std::move(results)));
    if (delivering_) return;
    delivering_ = true;
    while (!stopped_ && !ready_.empty() && ready_.begin()->first == delivered_) {
      auto [first_index, front] = std::move(ready_.begin()->second);
      ready_.erase(ready_.begin());
      lock.unlock();
      for (std::size_t i = 0; i < front.size(); ++i)
        run_.sink(first_index + i, std::move(front[i]));
      lock.lock();
      ++delivered_;
      room_.notify_all();
    }
    delivering_ = false;
  }

  void stop(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    stopped_ = true;
    room_.notify_all();
  }

  const OrderedRun& run_;
  std::mutex source_mutex_;  ///< guards next_index_, at_end_ and the calls of next()
  std::size_t next_index_ = 0;
  bool at_end_ = false;
  std::mutex mutex_;  ///< guards everything below
  std::condition_variable room_;
  std::map<std::size_t, std::pair<std::size_t, std::vector<Result>>> ready_;
  std::size_t taken_ = 0;
  std::size_t delivered_ = 0;
  bool delivering_ = false;
  bool stopped_ = false;
  std::exception_ptr error_;
};

}  // namespace

void run_ordered(const OrderedRun& run) {
  OrderedPool pool(run);
  std::vector<std::jthread> threads;
  for (std::size_t worker = 1; worker < run.workers; ++worker) {
    threads.emplace_back([&pool, worker] { pool.work(worker); });
  }
  pool.work(0);
  threads.clear();
  pool.rethrow();
}

}  // namespace fovea
