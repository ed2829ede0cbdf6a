// Asynchronous copies of the emulator; include async_copy.h instead, which says what they do.
//
// The accesses are here, in the kernel's file, so that the race detector sees them: of the source
// and of the target when a copy is started, and of the target again when it is waited for.
#pragma once

#include "kernels/simt/emulated_dialect.h"

namespace simt {

inline void copy_async(void* shared, const void* global, bool wanted) {
  const auto value = wanted ? load<AsyncCopies::Value>(global) : AsyncCopies::Value{};
  store(shared, AsyncCopies::kUnknown);
  running_block->copies().start(shared, value);
}

inline void commit_copies() {
  running_block->copies().commit();
}

template <int Groups>
void wait_copies() {
  AsyncCopies& copies = running_block->copies();
  while (const AsyncCopies::Copy* copy = copies.take(Groups)) store(copy->target, copy->value);
}

}  // namespace simt
