// A whole Winograd convolution over a team of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/backend/cpu/own_convolution.h"
#include "engine/backend/cpu/winograd_shape.h"

namespace fovea::cpu::winograd {

/// How the work is shared and cut into pieces that stay in caches. It changes no bit of the result.
struct Schedule {
  int tile_parts = 1;    ///< threads that take tiles of their own
  int filter_parts = 1;  ///< threads that share the same tiles and take filters of their own
  std::int64_t block_tiles = 1;  ///< tiles that a thread transforms before it multiplies them

  [[nodiscard]] int threads() const { return tile_parts * filter_parts; }
};

/// The ways to share the work among so many threads, or to leave it to one; the best guess first.
[[nodiscard]] std::vector<Schedule> make_schedules(const Convolution& conv, int threads);

/// Bytes of scratch memory of run(), for all threads.
[[nodiscard]] std::size_t scratch_bytes(const Convolution& conv, const Schedule& schedule);

/// Element is float or Bf16; products and sums are float32.
template <typename Element>
using Operands = ConvolutionOperandsOf<Element>;

/// Computes on schedule.threads() OpenMP threads and waits. The bits of a picture depend neither on
/// the rest of the batch nor on the schedule. Needs AVX-512 F.
template <typename Element>
void run(const Convolution& conv, const Schedule& schedule, const Operands<Element>& operands);

}  // namespace fovea::cpu::winograd
