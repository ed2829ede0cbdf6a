// A whole Winograd convolution over a team of threads.
#pragma once

#include <cstddef>
#include <cstdint>

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

/// Dense pictures, {batch, rows, columns, channels}, and weights as pack_weights() makes them.
/// y = min(max(conv(x, w) + bias + residual, low), high).
struct Operands {
  const float* x = nullptr;
  const float* w = nullptr;
  const float* bias = nullptr;      ///< output_blocks() * kLanes floats, zeros where padded
  const float* residual = nullptr;  ///< null, or of y's form; may be y itself
  float low = 0.0F;
  float high = 0.0F;
  float* y = nullptr;
  float* scratch = nullptr;  ///< scratch_bytes(), aligned to 64
};

/// Computes on schedule.threads() OpenMP threads and waits. The bits of a picture depend neither on
/// the rest of the batch nor on the schedule. Needs AVX-512 F; see available().
void run(const Convolution& conv, const Schedule& schedule, const Operands& operands);

/// Whether this processor has the instructions.
[[nodiscard]] bool available();

}  // namespace fovea::cpu::winograd
