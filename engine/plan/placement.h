// Which values of a graph are only places: where a value lies, as far as the graph alone decides.
//
// A value lies in a buffer, in a Layout: dense (the whole buffer), a channel slice of it, or
// opaque. Three kinds of nodes need no step, because their result is a place in a buffer that
// others fill:
//
//   Concat along the channels   its inputs are slices of its buffer. Legal where the target has
//                               slices (TargetTraits::writes_slices) and no input is a Constant.
//                               A Concat inside a Concat is a slice of the outermost buffer.
//   Slice of the channels       a slice of its input's buffer. Legal where the target has them
//                               and the input is no Constant; needs it dense or a slice.
//   Reshape, Identity           the same bytes under another shape. Legal for every input but a
//                               Constant; a Reshape needs it dense.
//
// Where a place is legal but something else keeps a value out of it (a tactic that writes no
// slices, an input of the graph), the value is converted or copied into it: never worse than the
// step that the place replaced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/graph/target_traits.h"

namespace fovea {

enum class PlaceKind : std::uint8_t {
  kStep,    ///< a tactic computes the node
  kConcat,  ///< a buffer whose slices are the inputs
  kSlice,   ///< a slice of the input's buffer
  kView,    ///< the input's bytes
};

/// Channels from `channel_offset` on of the buffer of `whole`, an outermost Concat.
struct Home {
  NodeId whole = -1;
  std::int64_t channel_offset = 0;

  bool operator==(const Home&) const = default;
};

/// Decided once from the graph and the target; refers to the graph, which must outlive it.
class Placement {
 public:
  Placement(const Graph& graph, const TargetTraits& traits);

  [[nodiscard]] PlaceKind kind(NodeId id) const { return kinds_[static_cast<std::size_t>(id)]; }

  /// Where the value should be written because a Concat wants it there. Of several Concats that
  /// want a value the first has it.
  [[nodiscard]] const std::optional<Home>& home(Value value) const {
    return homes_[static_cast<std::size_t>(value.node)][static_cast<std::size_t>(value.output)];
  }

  /// The home of input `i` of a kConcat, whether or not the value has it.
  [[nodiscard]] Home home_of_input(NodeId concat, std::size_t i) const;

  /// What keeps input `i` of a kConcat from having its home, or "" where it has.
  [[nodiscard]] std::string obstacle(NodeId concat, std::size_t i) const;

  /// What makes a Concat, Slice or view a step, or "" where it is a place.
  [[nodiscard]] std::string why_step(NodeId id) const;

 private:
  void claim_homes();
  void resolve_nested();

  const Graph& graph_;
  TargetTraits traits_;
  std::vector<PlaceKind> kinds_;                         ///< by node
  std::vector<std::vector<std::optional<Home>>> homes_;  ///< by node, by output
};

}  // namespace fovea
