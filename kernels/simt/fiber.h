// Cooperative threads: what the emulator runs CUDA threads on.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>

#include "kernels/simt/sanitizers.h"

namespace simt {

/// A function with a stack of its own that runs when it is resumed, until it suspends itself or
/// returns. All fibers of an OS thread are used by that thread alone, and a fiber does not resume
/// another one.
class Fiber {
 public:
  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Abandons the function where it is: its local objects are not destroyed.
  ~Fiber() { reset(); }

  /// Makes the fiber start `body` at the next resume(); `body` must live until it returns.
  void start(const std::function<void()>& body);

  /// Runs the function. Returns true when it returned; rethrows what it threw.
  bool resume();

  /// Called inside the function: returns to resume().
  void suspend();

  /// Gives the stack back, for the next fiber that starts.
  void reset();

 private:
  [[noreturn]] static void main();

  const std::function<void()>* body_ = nullptr;
  std::byte* stack_ = nullptr;
  void* stack_pointer_ = nullptr;
  sanitizers::RaceThread race_thread_ = nullptr;
  std::exception_ptr error_;
  bool finished_ = false;
};

/// Bytes of a fiber's stack; the page below it is not mapped, so that an overflow faults.
inline constexpr std::size_t kStackBytes = 128 << 10;

}  // namespace simt
