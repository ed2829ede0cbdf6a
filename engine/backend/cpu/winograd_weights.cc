#include "engine/backend/cpu/winograd_weights.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/backend/cpu/winograd_points.h"

namespace fovea::cpu::winograd {

namespace {

constexpr auto kWidest = static_cast<std::size_t>(kPanelVectors * kLanes);

/// One number for each filter of a panel; loops over them are what the compiler vectorises.
using Row = std::array<double, kWidest>;

/// transform_taps() on every filter.
template <std::size_t Count>
std::array<Row, 6> transform(const std::array<Row, Count>& taps) {
  std::array<Row, 6> out;
  for (std::size_t filter = 0; filter < kWidest; ++filter) {
    std::array<double, Count> of_filter;
    for (std::size_t t = 0; t < Count; ++t) of_filter[t] = taps[t][filter];
    const auto values = transform_taps(of_filter);
    for (std::size_t i = 0; i < values.size(); ++i) out[i][filter] = values[i];
  }
  return out;
}

/// Some filters' taps of one input channel.
template <std::size_t Count>
using Taps = std::array<std::array<Row, Count>, Count>;

/// G g G^T to rows of `width` filters, `stride` floats from one element to the next.
template <std::size_t Count>
void pack_channel(const Taps<Count>& taps, float* out, std::int64_t width, std::int64_t stride) {
  std::array<std::array<Row, 6>, Count> rows;
  for (std::size_t r = 0; r < Count; ++r) rows[r] = transform(taps[r]);
  for (std::size_t column = 0; column < 6; ++column) {
    std::array<Row, Count> of_column;
    for (std::size_t r = 0; r < Count; ++r) of_column[r] = rows[r][column];
    const auto values = transform(of_column);
    for (std::size_t row = 0; row < 6; ++row) {
      float* to = out + static_cast<std::int64_t>(row * 6 + column) * stride;
      for (std::int64_t i = 0; i < width; ++i) {
        to[i] = static_cast<float>(values[row][static_cast<std::size_t>(i)]);
      }
    }
  }
}

template <std::size_t Count>
void pack_square(const Convolution& conv, const StoredWeights& stored, std::span<float> packed) {
  for (std::int64_t block = 0; block < conv.output_blocks(); block += kPanelVectors) {
    const PanelGroup group(conv, block / kGroupVectors);
    const std::int64_t panel = block - group.first;
    const std::int64_t width = group.panel_vectors(panel) * kLanes;
    const std::int64_t first = block * kLanes;
    const std::int64_t filters = std::min(width, conv.filters - first);
    float* out = packed.data() + group.weights_at(0, panel);
    const std::int64_t stride = group.weights_at(1, panel) - group.weights_at(0, panel);
#pragma omp parallel for schedule(static)
    for (std::int64_t channel = 0; channel < conv.channels; ++channel) {
      Taps<Count> taps{};
      for (std::int64_t filter = 0; filter < filters; ++filter) {
        const float* from =
            stored.data + (first + filter) * stored.filter + channel * stored.channel;
        for (std::size_t i = 0; i < Count * Count; ++i) {
          const auto row = static_cast<std::int64_t>(i / Count);
          const auto column = static_cast<std::int64_t>(i % Count);
          taps[i / Count][i % Count][static_cast<std::size_t>(filter)] =
              from[row * stored.row + column * stored.column];
        }
      }
      pack_channel(taps, out + channel * width, width, stride);
    }
  }
}

}  // namespace

void pack_weights(const Convolution& conv, const StoredWeights& stored, std::span<float> packed) {
  switch (conv.taps) {
    case 3:
      return pack_square<3>(conv, stored, packed);
    case 4:
      return pack_square<4>(conv, stored, packed);
    default:
      return pack_square<5>(conv, stored, packed);
  }
}

}  // namespace fovea::cpu::winograd
