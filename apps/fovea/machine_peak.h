// What the machine can do at best, by measurement.
#pragma once

#include <cstddef>

#include <fovea/precision.h>

namespace fovea::app {

/// Multiply-adds a second of so many threads at once, on values of that precision (kFp32 or kBf16)
/// that stay in registers: no network computes faster with as many multiply-adds. The best of some
/// short runs, about 0.1 s; 0 where there is no code for this processor, or for the precision.
[[nodiscard]] double measure_multiply_adds(int threads, Precision precision);

/// Bytes a second that so many threads read at once from memory, of blocks that no cache holds. The
/// best of some short runs, about 0.2 s.
[[nodiscard]] double measure_memory_bytes(int threads);

/// Bytes of the largest cache; 32 MiB where the system does not tell.
[[nodiscard]] std::size_t largest_cache_bytes();

}  // namespace fovea::app
