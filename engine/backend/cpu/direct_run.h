// A whole direct convolution over a team of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend/cpu/conv_operands.h"
#include "engine/backend/cpu/direct_shape.h"
#include "engine/backend/cpu/own_convolution.h"

namespace fovea::cpu::direct {

/// The most elements of a kernel.
inline constexpr std::int64_t kMostTaps = 128;

/// How the work is shared and cut into pieces that stay in caches. It changes no bit of the result.
struct Schedule {
  bool down_columns = false;  ///< neighbouring pixels of a product are of one column, not one row
  bool staged = false;        ///< inputs are copied to scratch memory, with zeros around them
  std::int64_t stage_stride = 0;  ///< floats from one copied pixel to the next
  std::int64_t piece = 1;  ///< lines (pixels where the convolution is pointwise) worked on at once
  int tile_parts = 1;      ///< threads that take pixels of their own
  int filter_parts = 1;    ///< threads that share the same pixels and take filters of their own

  [[nodiscard]] int threads() const { return tile_parts * filter_parts; }
};

/// The ways to share the work among so many threads, or to leave it to one; the best guess first.
[[nodiscard]] std::vector<Schedule> make_schedules(const Convolution& conv, int threads);

/// Bytes of scratch memory of run(), for all threads.
[[nodiscard]] std::size_t scratch_bytes(const Convolution& conv, const Schedule& schedule);

using Operands = ConvolutionOperands;

/// Computes on schedule.threads() OpenMP threads and waits. The bits of a picture depend neither on
/// the rest of the batch nor on the schedule. Needs AVX-512 F.
void run(const Convolution& conv, const Schedule& schedule, const Operands& operands);

/// Weights by panel of filters, row, column, channel, filter of the panel.
///
/// packed  conv.weight_floats() zeros on entry
void pack_weights(const Convolution& conv, const StoredWeights& stored, std::span<float> packed);

}  // namespace fovea::cpu::direct
