// The sizes of a Winograd convolution, F(4x4, 3x3), F(3x3, 4x4) or F(2x2, 5x5), and how its work is
// cut up.
//
// A tile of 6x6 inputs gives 4x4 outputs of a 3x3 convolution, 3x3 of a 4x4 one, 2x2 of a 5x5 one:
//
//   Y = A^T [ sum over input channels of (G g G^T) * (B^T d B) ] A        (* element by element)
//
// so each of the 36 elements of the transformed tiles is a matrix product of its own over the input
// channels, with a quarter of the multiplications of the convolution's definition (0.36 for 5x5).
//
// Source: Lavin and Gray, "Fast algorithms for convolutional neural networks", arXiv:1509.09308.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/backend/cpu/lanes.h"
#include "engine/backend/cpu/range.h"

namespace fovea::cpu::winograd {

/// Rows and columns of a tile.
inline constexpr std::int64_t kTileInputs = 6;

/// Elements of a transformed tile: so many matrix products.
inline constexpr std::int64_t kElements = kTileInputs * kTileInputs;

/// Registers of output channels that one matrix kernel computes: a panel.
inline constexpr std::int64_t kPanelVectors = 2;

/// Registers of output channels whose products are kept before they are transformed back. The
/// transformed input is read once for so many, and the products (18 KiB a tile) stay near.
inline constexpr std::int64_t kGroupVectors = 4 * kPanelVectors;

/// A square convolution with strides, dilations and groups of 1, on pictures with the channels last
/// whose pixels may lie in a larger buffer.
struct Convolution {
  std::int64_t taps = 0;  ///< rows and columns of the kernel: 3, 4 or 5
  std::int64_t batch = 0;
  std::int64_t height = 0;  ///< input rows
  std::int64_t width = 0;   ///< input columns
  std::int64_t channels = 0;
  std::int64_t filters = 0;
  std::int64_t rows = 0;             ///< output rows
  std::int64_t columns = 0;          ///< output columns
  std::int64_t top = 0;              ///< zeros above the first input row
  std::int64_t left = 0;             ///< zeros before the first input column
  std::int64_t input_stride = 0;     ///< elements from one pixel to the next
  std::int64_t output_stride = 0;    ///< elements from one pixel to the next
  std::int64_t residual_stride = 0;  ///< elements from one pixel to the next

  [[nodiscard]] std::int64_t input_blocks() const { return ceil_div(channels, kLanes); }

  [[nodiscard]] std::int64_t output_blocks() const { return ceil_div(filters, kLanes); }

  /// Rows and columns of outputs that a tile gives.
  [[nodiscard]] std::int64_t tile_outputs() const { return kTileInputs + 1 - taps; }

  [[nodiscard]] std::int64_t tile_columns() const { return ceil_div(columns, tile_outputs()); }

  [[nodiscard]] std::int64_t picture_tiles() const {
    return ceil_div(rows, tile_outputs()) * tile_columns();
  }

  [[nodiscard]] std::int64_t tiles() const { return batch * picture_tiles(); }

  /// Floats of the transformed weights.
  [[nodiscard]] std::int64_t weight_floats() const {
    return kElements * input_blocks() * output_blocks() * kLanes * kLanes;
  }
};

/// The index-th kGroupVectors registers of output channels, or what is left of them. Transformed
/// weights lie by group, element, panel, input channel, output channel of the panel.
struct PanelGroup {
  PanelGroup(const Convolution& conv, std::int64_t index)
      : first(index * kGroupVectors),
        vectors(std::min(kGroupVectors, conv.output_blocks() - first)),
        weights_per_vector(conv.input_blocks() * kLanes * kLanes) {}

  /// Registers of the panel that begins with register `vector` of the group.
  [[nodiscard]] std::int64_t panel_vectors(std::int64_t vector) const {
    return std::min(kPanelVectors, vectors - vector);
  }

  /// Floats before the weights of one element and of the panel that begins with register `vector`
  /// of the group.
  [[nodiscard]] std::int64_t weights_at(std::int64_t element, std::int64_t vector) const {
    return (kElements * first + element * vectors + vector) * weights_per_vector;
  }

  std::int64_t first;
  std::int64_t vectors;
  std::int64_t weights_per_vector;  ///< floats of one register of output channels and one element
};

}  // namespace fovea::cpu::winograd
