#include "kernels/simt/async_copies.h"

#include "kernels/simt/emulator.h"

namespace simt {

void AsyncCopies::start(void* target, const Value& value) {
  if (count_ == copies_.size()) {
    throw EmulationError("a thread has started too many copies that it has not waited for");
  }
  copies_[(first_ + count_) % copies_.size()] = {target, value, group_};
  ++count_;
}

const AsyncCopies::Copy* AsyncCopies::take(int groups) {
  if (count_ == 0) return nullptr;
  const Copy& oldest = copies_[first_];
  if (oldest.group + static_cast<std::uint64_t>(groups) >= group_) return nullptr;
  first_ = (first_ + 1) % copies_.size();
  --count_;
  return &oldest;
}

void AsyncCopies::reset() {
  first_ = 0;
  count_ = 0;
  group_ = 0;
}

}  // namespace simt
