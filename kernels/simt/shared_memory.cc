#include "kernels/simt/shared_memory.h"

#include <algorithm>

#include "kernels/simt/emulator.h"
#include "kernels/simt/sanitizers.h"

namespace simt {

namespace {

/// NaN as double, as float and as half.
constexpr std::uint64_t kPoison = 0x7fff'7fff'7fff'7fff;

/// Between two variables: what AddressSanitizer needs to notice an index that is off by some.
constexpr std::size_t kGapWords = 8;

/// Every variable may be followed by a gap and padding; a kernel has few variables.
constexpr std::size_t kArenaWords = 2 * kSharedBytes / sizeof(std::uint64_t);

}  // namespace

SharedMemory::SharedMemory() : words_(std::make_unique<std::uint64_t[]>(kArenaWords)) {
  used_words_ = kArenaWords;
  reset(0);
}

SharedMemory::~SharedMemory() {
  sanitizers::unpoison(words_.get(), kArenaWords * sizeof(std::uint64_t));
}

void SharedMemory::reset(std::size_t dynamic_bytes) {
  sanitizers::unpoison(words_.get(), used_words_ * sizeof(std::uint64_t));
  std::fill_n(words_.get(), used_words_, kPoison);
  sanitizers::poison(words_.get(), kArenaWords * sizeof(std::uint64_t));
  used_words_ = 0;
  used_bytes_ = 0;
  variable_count_ = 0;
  dynamic_ = place(dynamic_bytes);
}

void* SharedMemory::variable(const void* key, std::size_t bytes) {
  const auto end = variables_.begin() + static_cast<std::ptrdiff_t>(variable_count_);
  const auto found =
      std::find_if(variables_.begin(), end, [key](const Variable& v) { return v.key == key; });
  if (found != end) return found->address;
  if (end == variables_.end()) throw EmulationError("a kernel has too many shared variables");
  *end = {key, place(bytes)};
  ++variable_count_;
  return end->address;
}

void* SharedMemory::place(std::size_t bytes) {
  const std::size_t words = (bytes + 15) / 16 * 2;
  used_bytes_ += words * sizeof(std::uint64_t);
  if (used_bytes_ > kSharedBytes || used_words_ + words + kGapWords > kArenaWords) {
    throw EmulationError("a block has more than 48 KiB of shared memory");
  }
  void* address = words_.get() + used_words_;
  sanitizers::unpoison(address, bytes);
  used_words_ += words + kGapWords;
  return address;
}

}  // namespace simt
