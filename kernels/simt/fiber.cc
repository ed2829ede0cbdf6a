#include "kernels/simt/fiber.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>
#include <vector>

#include <sys/mman.h>

extern "C" void fovea_simt_switch(void** saved_stack_pointer, void* stack_pointer);

namespace simt {

namespace {

constexpr std::size_t kPageBytes = 4096;

/// Callee-saved registers that fovea_simt_switch pops.
constexpr std::size_t kSavedRegisters = 6;

/// Stacks of an OS thread, kept for reuse.
class StackPool {
 public:
  StackPool() = default;
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  ~StackPool() {
    for (std::byte* stack : all_) munmap(stack - kPageBytes, kPageBytes + kStackBytes);
  }

  std::byte* take() {
    if (!free_.empty()) {
      std::byte* stack = free_.back();
      free_.pop_back();
      return stack;
    }
    void* mapped = mmap(nullptr,
                        kPageBytes + kStackBytes,
                        PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                        -1,
                        0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    mprotect(mapped, kPageBytes, PROT_NONE);
    all_.push_back(static_cast<std::byte*>(mapped) + kPageBytes);
    return all_.back();
  }

  void give_back(std::byte* stack) {
    // A fiber that was abandoned leaves the marks of its local variables.
    sanitizers::unpoison(stack, kStackBytes);
    free_.push_back(stack);
  }

 private:
  std::vector<std::byte*> all_;
  std::vector<std::byte*> free_;
};

/// The stack that resume() was called on.
struct Host {
  void* stack_pointer = nullptr;
  void* fake_stack = nullptr;
  const void* stack = nullptr;
  std::size_t stack_bytes = 0;
  sanitizers::RaceThread race_thread = nullptr;
  Fiber* running = nullptr;
};

thread_local StackPool stacks;
thread_local Host host;

}  // namespace

void Fiber::start(const std::function<void()>& body) {
  reset();
  body_ = &body;
  stack_ = stacks.take();
  race_thread_ = sanitizers::create_race_thread();
  finished_ = false;

  // What fovea_simt_switch will pop, then main's address to return to, then a null return address
  // for main itself, which also keeps the alignment that the ABI wants at a function's entry.
  std::array<void*, kSavedRegisters + 2> frame{};
  frame[kSavedRegisters] = reinterpret_cast<void*>(&Fiber::main);
  auto* top = reinterpret_cast<void**>(stack_ + kStackBytes) - frame.size();
  std::copy(frame.begin(), frame.end(), top);
  stack_pointer_ = static_cast<void*>(top);
}

bool Fiber::resume() {
  host.running = this;
  host.race_thread = sanitizers::current_race_thread();
  sanitizers::switch_race_thread(race_thread_);
  sanitizers::start_switch(&host.fake_stack, stack_, kStackBytes);
  fovea_simt_switch(&host.stack_pointer, stack_pointer_);
  sanitizers::finish_switch(host.fake_stack, nullptr, nullptr);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return finished_;
}

void Fiber::suspend() {
  void* fake_stack = nullptr;
  sanitizers::start_switch(&fake_stack, host.stack, host.stack_bytes);
  sanitizers::switch_race_thread(host.race_thread);
  fovea_simt_switch(&stack_pointer_, host.stack_pointer);
  sanitizers::finish_switch(fake_stack, &host.stack, &host.stack_bytes);
}

void Fiber::reset() {
  if (stack_ == nullptr) return;
  sanitizers::destroy_race_thread(std::exchange(race_thread_, nullptr));
  stacks.give_back(std::exchange(stack_, nullptr));
}

void Fiber::main() {
  sanitizers::finish_switch(nullptr, &host.stack, &host.stack_bytes);
  Fiber& self = *host.running;
  try {
    (*self.body_)();
  } catch (...) {
    self.error_ = std::current_exception();
  }
  self.finished_ = true;
  sanitizers::switch_race_thread(host.race_thread);
  sanitizers::start_switch(nullptr, host.stack, host.stack_bytes);
  fovea_simt_switch(&self.stack_pointer_, host.stack_pointer);
  std::terminate();  // a finished fiber is never resumed
}

}  // namespace simt
