#include <algorithm>

#include "engine/backend/cpu/direct_product.h"
#include "engine/backend/cpu/direct_run.h"
#include "engine/backend/cpu/direct_stage.h"
#include "engine/backend/cpu/lanes.h"
#include "engine/backend/cpu/splits.h"
#include "engine/backend/cpu/team.h"

namespace fovea::cpu::direct {

namespace {

/// Pixels of a product that lie a multiple of so many floats apart share the same few lines of the
/// first-level cache, too few for kMostPixels of them.
constexpr std::int64_t kCacheWayFloats = 1024;

/// Inputs that are worked on at once stay in the second-level cache, beside a panel of weights.
constexpr std::int64_t kPieceFloats = std::int64_t{64} << 10;

/// Enough pixels that weights from the third-level cache cost little.
constexpr std::int64_t kPiecePixels = 4 * kMostPixels;

constexpr std::int64_t kBytesPerCycle = 16;  // from the last-level cache, half hidden

bool conflicts(std::int64_t step) {
  return step % kCacheWayFloats == 0;
}

/// Cycles of the thread with the most work.
std::int64_t estimate(const Convolution& conv, const Schedule& schedule) {
  const Axes axes(conv, schedule);
  const std::int64_t units = conv.pointwise() ? conv.pixels() : conv.batch * axes.across.outputs;
  const std::int64_t unit_pixels = conv.pointwise() ? 1 : axes.along.outputs;
  const std::int64_t pixels = ceil_div(units, schedule.tile_parts) * unit_pixels;
  const std::int64_t panels =
      ceil_div(ceil_div(conv.output_blocks(), kPanelVectors), schedule.filter_parts);
  const std::int64_t vectors = std::min(panels * kPanelVectors, conv.output_blocks());
  const std::int64_t depth = conv.taps() * conv.channels;
  const std::int64_t bytes = (depth * vectors * kLanes + pixels * conv.channels) *
                             static_cast<std::int64_t>(sizeof(float));
  return pixels * vectors * depth + bytes / kBytesPerCycle +
         (schedule.threads() > 1 ? kTeamCycles : 0);
}

/// Everything but the threads.
Schedule shape_schedule(const Convolution& conv) {
  Schedule schedule;
  schedule.down_columns = conv.columns.kernel > conv.rows.kernel;
  schedule.stage_stride = conv.channels;
  if (conv.pointwise()) {
    schedule.staged = conflicts(conv.input_stride) || conv.rows.stride != 1 ||
                      conv.columns.stride != 1 || conv.input_relu;
    if (conflicts(schedule.stage_stride)) schedule.stage_stride += kLanes;
    schedule.piece = std::max(kPiecePixels, kPieceFloats / schedule.stage_stride);
    return schedule;
  }
  const Axes axes(conv, schedule);
  schedule.staged = axes.along.padded() || conv.input_relu ||
                    conflicts(axes.along.stride * axes.along_pixels * conv.input_stride);
  if (conflicts(axes.along.stride * schedule.stage_stride)) schedule.stage_stride += kLanes;
  const std::int64_t line_floats =
      axes.along.stride * axes.across.stride * axes.along.outputs * schedule.stage_stride;
  schedule.piece = std::clamp<std::int64_t>(
      std::max(kPieceFloats / line_floats, ceil_div(kPiecePixels, axes.along.outputs)),
      1,
      axes.across.outputs);
  return schedule;
}

}  // namespace

std::vector<Schedule> make_schedules(const Convolution& conv, int threads) {
  return splits_of<Schedule>(
      threads,
      [&](int tile_parts, int filter_parts) {
        Schedule schedule = shape_schedule(conv);
        schedule.tile_parts = tile_parts;
        schedule.filter_parts = filter_parts;
        return schedule;
      },
      [&](const Schedule& schedule) { return estimate(conv, schedule); });
}

std::size_t scratch_bytes(const Convolution& conv, const Schedule& schedule) {
  if (!schedule.staged) return 0;
  return static_cast<std::size_t>(schedule.threads() * staged_floats(conv, schedule)) *
         sizeof(float);
}

}  // namespace fovea::cpu::direct
