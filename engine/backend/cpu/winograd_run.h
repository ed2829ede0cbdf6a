// A whole Winograd convolution over a team of threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/backend/cpu/epilogue.h"
#include "engine/backend/cpu/winograd_shape.h"

namespace fovea::cpu::winograd {

/// How the work is shared and cut into pieces that stay in caches. It changes no bit of the result.
struct Schedule {
  int tile_parts = 1;    ///< threads that take tiles of their own
  int filter_parts = 1;  ///< threads that share the same tiles and take filters of their own
  std::int64_t block_tiles = 1;  ///< tiles that a thread transforms before it multiplies them

  [[nodiscard]] int threads() const { return tile_parts * filter_parts; }
};

[[nodiscard]] Schedule make_schedule(const Convolution& conv, int threads);

/// Bytes of scratch memory of run(), for all threads.
[[nodiscard]] std::size_t scratch_bytes(const Convolution& conv, const Schedule& schedule);

struct Operands {
  const float* x = nullptr;
  const float* w = nullptr;  ///< as pack_weights() makes them
  float* y = nullptr;        ///< may be the residual
  float* scratch = nullptr;  ///< scratch_bytes(), aligned to 64
  Epilogue epilogue;         ///< of the first pixel and filter; bias padded to whole registers
};

/// Computes on schedule.threads() OpenMP threads and waits. The bits of a picture depend neither on
/// the rest of the batch nor on the schedule. Needs AVX-512 F.
void run(const Convolution& conv, const Schedule& schedule, const Operands& operands);

}  // namespace fovea::cpu::winograd
