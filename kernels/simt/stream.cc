#include "kernels/simt/stream.h"

#include <algorithm>
#include <mutex>
#include <random>
#include <utility>

#include "kernels/simt/emulator.h"

namespace simt {

namespace {

/// What all streams have in common; guarded by its mutex.
struct Device {
  std::recursive_mutex mutex;  ///< recursive: a stream may end with the last work that knew it
  std::vector<Stream*> streams;
  StreamOrder order = StreamOrder::kOnDemand;
  std::mt19937 random;
};

/// Never destroyed: streams of static objects may outlive it otherwise.
Device& device() {
  static auto& device = *std::make_unique<Device>().release();
  return device;
}

}  // namespace

void set_stream_order(StreamOrder order, std::uint32_t seed) {
  const std::lock_guard lock(device().mutex);
  device().order = order;
  device().random.seed(seed);
}

Stream::Stream() {
  const std::lock_guard lock(device().mutex);
  device().streams.push_back(this);
}

Stream::~Stream() {
  const std::lock_guard lock(device().mutex);
  std::erase(device().streams, this);
}

void Stream::append(Item item) {
  waiting_.push_back(std::move(item));
  if (device().order == StreamOrder::kRandom) run_some();
}

void Stream::enqueue(Work work) {
  before_enqueue();
  const std::lock_guard lock(device().mutex);
  if (capturing_) {
    recorded_.push_back(std::move(work));
  } else {
    append({std::move(work), nullptr, 0});
  }
}

void Stream::enqueue_wait(std::shared_ptr<Stream> other, std::uint64_t position) {
  const std::lock_guard lock(device().mutex);
  if (capturing_) throw EmulationError("captured work waits for work outside of the capture");
  append({nullptr, std::move(other), position});
}

std::uint64_t Stream::position() const {
  const std::lock_guard lock(device().mutex);
  return done_ + waiting_.size();
}

bool Stream::is_ready() const {
  if (waiting_.empty()) return false;
  const Item& front = waiting_.front();
  return front.other == nullptr || front.other->done_ >= front.position;
}

/// A stream that may go on while somebody waits for this one, which is not done: there is always
/// one, since a stream waits only for what was enqueued before.
Stream& Stream::next_to_run() {
  if (device().order == StreamOrder::kRandom) {
    std::vector<Stream*> ready;
    std::ranges::copy_if(
        device().streams, std::back_inserter(ready), [](Stream* s) { return s->is_ready(); });
    return *ready[device().random() % ready.size()];
  }
  Stream* stream = this;
  while (!stream->is_ready()) stream = stream->waiting_.front().other.get();
  return *stream;
}

/// Each further piece of work is as likely as none.
void Stream::run_some() {
  Device& all = device();
  while (all.random() % 2 == 0) {
    const bool any = std::ranges::any_of(all.streams, [](Stream* s) { return s->is_ready(); });
    if (!any) return;
    all.streams.front()->next_to_run().run_one();
  }
}

void Stream::run_one() {
  const Item item = std::move(waiting_.front());
  waiting_.pop_front();
  ++done_;
  if (item.other != nullptr) {
    if (item.other->error_ != nullptr) fail(item.other->error_);
    return;
  }
  try {
    item.work();
  } catch (...) {
    fail(std::current_exception());
  }
}

void Stream::fail(const std::exception_ptr& error) {
  error_ = error;
  std::vector<std::deque<Item>> dropped;  // with the last knowledge of a stream, perhaps
  for (Stream* stream : device().streams) {
    if (stream->waiting_.empty()) continue;
    stream->error_ = error;
    stream->done_ += stream->waiting_.size();
    dropped.push_back(std::exchange(stream->waiting_, {}));
  }
}

void Stream::run_until(std::uint64_t position) {
  const std::lock_guard lock(device().mutex);
  while (done_ < position && !waiting_.empty()) next_to_run().run_one();
  if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
}

void Stream::begin_capture() {
  const std::lock_guard lock(device().mutex);
  if (capturing_) throw EmulationError("the stream is being captured already");
  capturing_ = true;
}

std::vector<Work> Stream::end_capture() {
  const std::lock_guard lock(device().mutex);
  if (!capturing_) throw EmulationError("the stream is not being captured");
  capturing_ = false;
  return std::exchange(recorded_, {});
}

void enqueue(cudaStream_t stream, Work work) {
  if (stream == nullptr) {
    const std::lock_guard lock(device().mutex);
    work();
  } else {
    Stream::from(stream).enqueue(std::move(work));
  }
}

}  // namespace simt
