#include "kernels/simt/sanitizers.h"

// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming): the sanitizers' names.
extern "C" {
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** fake_stack,
                                                  const void* stack,
                                                  std::size_t bytes);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* fake_stack,
                                                   const void** stack,
                                                   std::size_t* bytes);
[[gnu::weak]] void __asan_poison_memory_region(const volatile void* address, std::size_t bytes);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void* address, std::size_t bytes);
[[gnu::weak]] void* __tsan_create_fiber(unsigned flags);
[[gnu::weak]] void __tsan_destroy_fiber(void* fiber);
[[gnu::weak]] void* __tsan_get_current_fiber();
[[gnu::weak]] void __tsan_switch_to_fiber(void* fiber, unsigned flags);
[[gnu::weak]] void __tsan_acquire(void* address);
[[gnu::weak]] void __tsan_release(void* address);
}

// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)

namespace simt::sanitizers {

namespace {

/// __tsan_switch_to_fiber_no_sync: the switch itself orders nothing.
constexpr unsigned kNoSync = 1;

}  // namespace

void start_switch(void** fake_stack, const void* stack, std::size_t bytes) {
  if (__sanitizer_start_switch_fiber != nullptr) {
    __sanitizer_start_switch_fiber(fake_stack, stack, bytes);
  }
}

void finish_switch(void* fake_stack, const void** stack, std::size_t* bytes) {
  if (__sanitizer_finish_switch_fiber != nullptr) {
    __sanitizer_finish_switch_fiber(fake_stack, stack, bytes);
  }
}

void poison(const void* address, std::size_t bytes) {
  if (__asan_poison_memory_region != nullptr) __asan_poison_memory_region(address, bytes);
}

void unpoison(const void* address, std::size_t bytes) {
  if (__asan_unpoison_memory_region != nullptr) __asan_unpoison_memory_region(address, bytes);
}

bool detects_races() {
  return __tsan_create_fiber != nullptr;
}

RaceThread create_race_thread() {
  return detects_races() ? __tsan_create_fiber(0) : nullptr;
}

void destroy_race_thread(RaceThread thread) {
  if (thread != nullptr) __tsan_destroy_fiber(thread);
}

RaceThread current_race_thread() {
  return detects_races() ? __tsan_get_current_fiber() : nullptr;
}

void switch_race_thread(RaceThread thread) {
  if (thread != nullptr) __tsan_switch_to_fiber(thread, kNoSync);
}

void acquire(void* token) {
  if (detects_races()) __tsan_acquire(token);
}

void release(void* token) {
  if (detects_races()) __tsan_release(token);
}

}  // namespace simt::sanitizers
