#include "tests/support/threaded_backend.h"

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "engine/backend/evaluate_step.h"
#include "engine/backend/host_stream.h"
#include "engine/core/require.h"

namespace fovea::test {

namespace {

using Work = std::function<void()>;
using Clock = std::chrono::steady_clock;

/// How often an event was recorded and how often that was reached. Shared with the work that
/// reaches it and waits for it.
struct Progress {
  void reach(std::uint64_t record) {
    const std::lock_guard lock(mutex);
    reached = record;
    time = Clock::now();
    changed.notify_all();
  }

  void await(std::uint64_t record) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return reached >= record; });
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t reached = 0;
  Clock::time_point time;
};

/// One thread records it and waits for it at a time.
struct ThreadedEvent final : Event {
  void synchronize() override { progress->await(records); }

  [[nodiscard]] float elapsed_ms_since(const Event& start) const override {
    Progress& from = *dynamic_cast<const ThreadedEvent&>(start).progress;
    const std::scoped_lock lock(progress->mutex, from.mutex);
    return std::chrono::duration<float, std::milli>(progress->time - from.time).count();
  }

  std::shared_ptr<Progress> progress = std::make_shared<Progress>();
  std::uint64_t records = 0;
};

struct ThreadedReplay final : Replay {
  std::vector<Work> work;
};

class ThreadedStream final : public Stream {
 public:
  ThreadedStream() : thread_([this] { run(); }) {}

  ~ThreadedStream() override {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  ThreadedStream(const ThreadedStream&) = delete;
  ThreadedStream& operator=(const ThreadedStream&) = delete;

  void enqueue(Work work) {
    if (capturing_) {
      captured_.push_back(std::move(work));
      return;
    }
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    changed_.notify_all();
  }

  void synchronize() override {
    ThreadedEvent end;
    record(end);
    end.synchronize();
  }

  void upload(std::byte* dst, const std::byte* src, std::size_t bytes) override {
    copy(dst, src, bytes);
  }

  void download(std::byte* dst, const std::byte* src, std::size_t bytes) override {
    copy(dst, src, bytes);
  }

  void copy(std::byte* dst, const std::byte* src, std::size_t bytes) override {
    if (bytes != 0) enqueue([=] { std::memcpy(dst, src, bytes); });
  }

  [[nodiscard]] std::unique_ptr<Event> make_event() override {
    return std::make_unique<ThreadedEvent>();
  }

  void record(Event& event) override {
    auto& recorded = dynamic_cast<ThreadedEvent&>(event);
    enqueue(
        [progress = recorded.progress, record = ++recorded.records] { progress->reach(record); });
  }

  void wait(const Event& event) override {
    const auto& recorded = dynamic_cast<const ThreadedEvent&>(event);
    enqueue([progress = recorded.progress, record = recorded.records] { progress->await(record); });
  }

  [[nodiscard]] bool captures() const override { return true; }

  void begin_capture() override { capturing_ = true; }

  [[nodiscard]] std::unique_ptr<Replay> end_capture() override {
    capturing_ = false;
    auto replay = std::make_unique<ThreadedReplay>();
    replay->work = std::exchange(captured_, {});
    return replay;
  }

  void replay(const Replay& replay) override {
    for (const Work& work : dynamic_cast<const ThreadedReplay&>(replay).work) enqueue(work);
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return ended_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const Work work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
  }

  bool capturing_ = false;
  std::vector<Work> captured_;
  std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  std::deque<Work> queue_;
  bool ended_ = false;
  std::jthread thread_;  ///< the last member: it uses the others, and joins first
};

class ThreadedStep final : public Step {
 public:
  explicit ThreadedStep(std::unique_ptr<Step> step) : step_(std::move(step)) {}

  [[nodiscard]] std::unique_ptr<StepState> bind(const StepArgs& args,
                                                Stream& stream) const override {
    return step_->bind(args, stream);
  }

  void enqueue(const StepArgs& args, Stream& stream) const override {
    dynamic_cast<ThreadedStream&>(stream).enqueue([this, args] {
      HostStream here;
      step_->enqueue(args, here);
    });
  }

 private:
  std::unique_ptr<Step> step_;
};

class ThreadedBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "threaded"; }

  [[nodiscard]] TargetTraits traits() const override { return {}; }

  [[nodiscard]] std::string fingerprint() const override { return "threaded"; }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    Tactic tactic = evaluate_tactic(site);
    tactic.build = [build = tactic.build](const BuildArgs& args) {
      return std::make_unique<ThreadedStep>(build(args));
    };
    return {tactic};
  }

  [[nodiscard]] Tactic conversion(const TensorDesc& /*desc*/,
                                  const Layout& /*from*/,
                                  const Layout& /*to*/) const override {
    throw Error(ErrorCode::kInternal, "everything is dense, and was asked to be converted");
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int /*threads*/) const override {
    return std::make_unique<ThreadedStream>();
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    return fovea::allocate_host(bytes);
  }

  [[nodiscard]] MemoryInfo memory_info() const override { return host_memory_info(); }
};

}  // namespace

std::unique_ptr<Backend> make_threaded_backend() {
  return std::make_unique<ThreadedBackend>();
}

}  // namespace fovea::test
