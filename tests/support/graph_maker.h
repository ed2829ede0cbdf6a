// What random graphs are made with: dice, constants, and the values that are there already.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph/graph.h"

namespace fovea::test {

/// A range of weights, [low, high).
struct Range {
  float low = -1.0F;
  float high = 1.0F;

  bool operator==(const Range&) const = default;
};

/// Builds one graph. Everything follows from the seed, on every machine. Float32 results with a
/// batch are remembered: picture() and vector() hand them out, mostly the latest one, so that
/// chains grow, and sometimes an old one, so that values are used several times.
class GraphMaker {
 public:
  explicit GraphMaker(std::uint64_t seed) : random_(seed) {}

  // --- Dice ---

  /// A number from low to high, both included.
  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high);

  [[nodiscard]] bool chance(int percent) { return between(1, 100) <= percent; }

  template <typename T>
  [[nodiscard]] T one_of(std::initializer_list<T> choices) {
    return choices.begin()[between(0, static_cast<std::int64_t>(choices.size()) - 1)];
  }

  // --- Nodes ---

  /// A node of a new name.
  Value add(Op op, std::vector<Value> inputs);

  /// The same where the operator takes these inputs, else nothing.
  std::optional<Value> try_add(Op op, std::vector<Value> inputs);

  /// A float32 Constant; sometimes one of the same kind that is there already, or a copy of it.
  Value floats(const Shape& shape, Range range = {});

  /// A new Constant of random bytes.
  Value bytes(DType dtype, const Shape& shape);

  /// Weights that keep the size of what passes through: plain, dequantised, transposed, reshaped
  /// or scaled ones. `shape` has the outputs first.
  Value weights(const Shape& shape);

  // --- Values ---

  [[nodiscard]] const TensorDesc& desc(Value value) const { return graph_.desc(value); }

  [[nodiscard]] std::int64_t dim(Value value, std::size_t i) const { return desc(value).shape[i]; }

  /// f32 [N,H,W,C]; there is always one.
  [[nodiscard]] Value picture();

  /// f32 [N,C], or nothing where there is none yet.
  [[nodiscard]] std::optional<Value> vector();

  /// Another value of the same description; nothing where there is none.
  [[nodiscard]] std::optional<Value> twin(Value value);

  [[nodiscard]] Graph& graph() { return graph_; }

 private:
  struct Known {
    Value value;
    Range range;
  };

  [[nodiscard]] Value mostly_last(const std::vector<Value>& values);
  Value constant(const Shape& shape, Range range);

  std::mt19937_64 random_;
  Graph graph_;
  std::vector<Known> constants_;
  std::vector<Value> pictures_;
  std::vector<Value> vectors_;
};

}  // namespace fovea::test
