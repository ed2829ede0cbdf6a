// What the emulator tells AddressSanitizer and ThreadSanitizer. Every function does nothing in a
// binary without that sanitizer, so that one object file serves all builds.
//
// The emulator itself is never instrumented by ThreadSanitizer: the sanitizer then sees CUDA
// threads as threads, and only the synchronisation that is announced here.
#pragma once

#include <cstddef>

namespace simt::sanitizers {

/// Before leaving the present stack for that of `bytes` at `stack`; `*fake_stack` is kept for
/// finish_switch, a null `fake_stack` says that the present stack ends.
void start_switch(void** fake_stack, const void* stack, std::size_t bytes);

/// After arriving on a stack: `fake_stack` as kept by start_switch when it was left (null at
/// first);
/// `*stack` and `*bytes` receive the stack that was left, where they are not null.
void finish_switch(void* fake_stack, const void** stack, std::size_t* bytes);

/// Marks bytes as not accessible, and as accessible.
void poison(const void* address, std::size_t bytes);
void unpoison(const void* address, std::size_t bytes);

/// Whether races between CUDA threads are being looked for.
[[nodiscard]] bool detects_races();

/// A thread as the race detector knows it; null where races are not looked for.
using RaceThread = void*;
[[nodiscard]] RaceThread create_race_thread();
void destroy_race_thread(RaceThread thread);
[[nodiscard]] RaceThread current_race_thread();
void switch_race_thread(RaceThread thread);

/// What happened before a release of a token happens before what follows an acquire of it.
void acquire(void* token);
void release(void* token);

}  // namespace simt::sanitizers
