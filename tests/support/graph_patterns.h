// The parts that random graphs are put together from.
#pragma once

#include <cstdint>
#include <span>

#include "tests/support/graph_maker.h"

namespace fovea::test {

/// Bytes of the largest picture that is resized (6 by 6 pixels), and of as many as a batch has.
inline constexpr std::int64_t kRaggedPicture = 6 * 6 * 3;
inline constexpr std::int64_t kRaggedBytes = 2 * kRaggedPicture;

/// Adds a few nodes to what is there. `weight` is how often it is taken, beside the others.
struct GraphPattern {
  void (*add)(GraphMaker& maker);
  int weight = 1;
};

/// What begins a graph: its inputs, up to the first picture.
void add_head(GraphMaker& maker);

/// What lies between: one part after the other, in any order.
[[nodiscard]] std::span<const GraphPattern> graph_patterns();

/// A classifier's end: the largest of the probabilities.
void add_tail(GraphMaker& maker);

// --- What patterns are made of ---

enum class ConvKind : std::uint8_t { kAny, kPointwise, kDepthwise };

/// A convolution of x that is cheap enough; `filters` 0 means any number, `border` false no
/// padding.
Value add_conv(GraphMaker& maker, Value x, ConvKind kind, bool border, std::int64_t filters = 0);

/// BatchNorm of x, of any rank.
Value add_norm(GraphMaker& maker, Value x);

/// Relu, Clip, Tanh or Sigmoid of x.
Value add_activation(GraphMaker& maker, Value x);

/// Dense of the vector x.
Value add_dense(GraphMaker& maker, Value x);

/// MaxPool or AveragePool; x itself where the window that was thrown does not fit.
Value add_pool(GraphMaker& maker, Value x, bool max, bool border);

}  // namespace fovea::test
