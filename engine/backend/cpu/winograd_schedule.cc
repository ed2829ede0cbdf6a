#include <algorithm>

#include "engine/backend/cpu/splits.h"
#include "engine/backend/cpu/team.h"
#include "engine/backend/cpu/winograd_run.h"

namespace fovea::cpu::winograd {

namespace {

// Cycles, measured on a Zen 4 core; only their ratios matter.
constexpr std::int64_t kTransformCycles = 250;     // a tile of 16 channels in or out
constexpr std::int64_t kWeightBytesPerCycle = 16;  // from the last-level cache, half hidden

/// Tiles whose transformed input is worked on at once: enough to read the weights seldom, few
/// enough to stay in the second-level cache where channels are few.
std::int64_t most_block_tiles(const Convolution& conv) {
  constexpr std::int64_t kManyBlocks = 16;  // from 256 channels on it cannot stay there anyway
  constexpr std::int64_t kFewChannelTiles = 28;
  constexpr std::int64_t kManyChannelTiles = 56;
  return conv.input_blocks() > kManyBlocks ? kManyChannelTiles : kFewChannelTiles;
}

/// Cycles of the thread with the most work.
std::int64_t estimate(const Convolution& conv, const Schedule& schedule) {
  const std::int64_t tiles = ceil_div(conv.tiles(), schedule.tile_parts);
  const std::int64_t panels =
      ceil_div(ceil_div(conv.output_blocks(), kPanelVectors), schedule.filter_parts);
  const std::int64_t vectors = std::min(panels * kPanelVectors, conv.output_blocks());
  const std::int64_t channels = conv.input_blocks() * kLanes;
  const std::int64_t products = vectors * (kElements * channels + kTransformCycles);
  const std::int64_t weight_bytes =
      kElements * channels * vectors * kLanes * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t passes = ceil_div(tiles, schedule.block_tiles);
  return tiles * (conv.input_blocks() * kTransformCycles + products) +
         passes * weight_bytes / kWeightBytesPerCycle + (schedule.threads() > 1 ? kTeamCycles : 0);
}

}  // namespace

std::vector<Schedule> make_schedules(const Convolution& conv, int threads) {
  return splits_of<Schedule>(
      threads,
      [&](int tile_parts, int filter_parts) {
        Schedule schedule{.tile_parts = tile_parts, .filter_parts = filter_parts};
        schedule.block_tiles = std::min(most_block_tiles(conv), ceil_div(conv.tiles(), tile_parts));
        return schedule;
      },
      [&](const Schedule& schedule) { return estimate(conv, schedule); });
}

}  // namespace fovea::cpu::winograd
