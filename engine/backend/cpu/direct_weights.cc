#include <algorithm>

#include "engine/backend/cpu/direct_product.h"
#include "engine/backend/cpu/direct_run.h"
#include "engine/backend/cpu/direct_stage.h"
#include "engine/backend/cpu/lanes.h"

namespace fovea::cpu::direct {

void pack_weights(const Convolution& conv, const StoredWeights& stored, std::span<float> packed) {
  const std::int64_t depth = conv.taps() * conv.channels;
#pragma omp parallel for schedule(static)
  for (std::int64_t vector = 0; vector < conv.output_blocks(); vector += kPanelVectors) {
    const std::int64_t width = std::min(kPanelVectors, conv.output_blocks() - vector) * kLanes;
    const std::int64_t first = vector * kLanes;
    const std::int64_t filters = std::min(width, conv.filters - first);
    for (std::int64_t tap = 0; tap < conv.taps(); ++tap) {
      const float* from = stored.data + first * stored.filter +
                          tap / conv.columns.kernel * stored.row +
                          tap % conv.columns.kernel * stored.column;
      float* out = packed.data() + first * depth + tap * conv.channels * width;
      for (std::int64_t filter = 0; filter < filters; ++filter) {
        for (std::int64_t channel = 0; channel < conv.channels; ++channel) {
          out[channel * width + filter] = from[filter * stored.filter + channel * stored.channel];
        }
      }
    }
  }
}

}  // namespace fovea::cpu::direct
