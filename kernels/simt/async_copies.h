// Asynchronous copies of one emulated thread that it has not waited for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace simt {

/// A queue of copies in groups.
class AsyncCopies {
 public:
  struct alignas(16) Value {
    std::uint64_t words[2];
  };

  struct Copy {
    void* target = nullptr;
    Value value{};
    std::uint64_t group = 0;
  };

  /// What a target holds until the copy is done: NaN as double, float and half.
  static constexpr Value kUnknown{{0x7fff'7fff'7fff'7fff, 0x7fff'7fff'7fff'7fff}};

  /// Adds a copy to the group that is open. Throws EmulationError where there is no room for it.
  void start(void* target, const Value& value);

  /// Ends the group.
  void commit() { ++group_; }

  /// Removes the oldest copy that does not belong to the last `groups` groups that were ended or to
  /// the open one; null where there is none. Valid until the next call of anything.
  const Copy* take(int groups);

  /// Forgets everything.
  void reset();

 private:
  // Not a vector: see SharedMemory.
  std::array<Copy, 128> copies_{};  ///< a ring
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::uint64_t group_ = 0;
};

}  // namespace simt
