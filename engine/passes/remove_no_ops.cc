// Identity(x), Reshape(x) to x's shape, Rescale by 1 plus 0, Transpose that moves nothing, Pad by
// nothing, Concat of x alone, Slice of all of x, Clip to all numbers, Cast to x's type  ==>  x
// GlobalPool(x), x of one pixel        ==>  Reshape(x)
// Transpose(q)(Transpose(p)(x))        ==>  Transpose(p after q)(x)
// Reshape(t)(Reshape(s)(x))            ==>  Reshape(t)(x)
// Clip(c, d)(Clip(a, b)(x))            ==>  Clip(a and b each clipped to c, d)(x)
//
// Always legal: every element keeps its value and place. Relu is Clip(0, infinity). A no-op that
// produces a graph output stays only as that output's name.
#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "engine/core/require.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "remove-no-ops";
constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool moves_nothing(const Transpose& transpose) {
  std::vector<std::int64_t> still(transpose.perm.size());
  std::iota(still.begin(), still.end(), 0);
  return transpose.perm == still;
}

/// Whether the operator pools a single pixel, which leaves it as it is.
bool pools_one_pixel(const Op& op, const TensorDesc& input) {
  return std::holds_alternative<GlobalPool>(op) && input.shape[1] == 1 && input.shape[2] == 1;
}

/// Whether `op`, applied to `input` with the result `output`, changes nothing.
bool is_no_op(const Op& op, const TensorDesc& input, const TensorDesc& output) {
  if (std::holds_alternative<Identity>(op)) return true;
  if (std::holds_alternative<Reshape>(op) || std::holds_alternative<Pad>(op) ||
      std::holds_alternative<Concat>(op) || std::holds_alternative<Slice>(op) ||
      std::holds_alternative<Cast>(op) || pools_one_pixel(op, input)) {
    return output == input;
  }
  if (const auto* rescale = std::get_if<Rescale>(&op)) {
    return rescale->scale == 1.0 && rescale->offset == 0.0;
  }
  if (const auto* clip = std::get_if<Clip>(&op)) {
    return clip->lo == -kInfinity && clip->hi == kInfinity;
  }
  const auto* transpose = std::get_if<Transpose>(&op);
  return transpose != nullptr && moves_nothing(*transpose);
}

/// perm of Transpose(second)(Transpose(first)(x)) as one Transpose.
Transpose compose(const Transpose& first, const Transpose& second) {
  Transpose both;
  for (const std::int64_t d : second.perm) {
    both.perm.push_back(first.perm[static_cast<std::size_t>(d)]);
  }
  return both;
}

std::optional<Clip> as_clip(const Op& op) {
  if (std::holds_alternative<Relu>(op)) return Clip{0.0F, kInfinity};
  if (const auto* clip = std::get_if<Clip>(&op)) return *clip;
  return std::nullopt;
}

/// second(first(x)) as one operator, or nothing where it takes two.
std::optional<Op> merged(const Op& first, const Op& second) {
  if (std::holds_alternative<Reshape>(first) && std::holds_alternative<Reshape>(second)) {
    return second;
  }
  const auto* turn = std::get_if<Transpose>(&first);
  const auto* turn_again = std::get_if<Transpose>(&second);
  if (turn != nullptr && turn_again != nullptr) return compose(*turn, *turn_again);

  const auto inner = as_clip(first);
  const auto outer = as_clip(second);
  if (!inner || !outer) return std::nullopt;
  const Clip both{std::clamp(inner->lo, outer->lo, outer->hi),
                  std::clamp(inner->hi, outer->lo, outer->hi)};
  if (both == Clip{0.0F, kInfinity}) return Relu{};
  return both;
}

}  // namespace

bool remove_no_ops(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.inputs.empty()) {
      rewriter.copy(id);
      continue;
    }
    const TensorDesc& output = node.outputs[0];
    if (is_no_op(node.op, graph.desc(node.inputs[0]), output)) {
      rewriter.replace(id, rewriter.map(node.inputs[0]));
      context.report.take(kName, node.name, "removed");
      changed = true;
      continue;
    }
    if (pools_one_pixel(node.op, graph.desc(node.inputs[0]))) {
      rewriter.copy_with(id, Reshape{output.shape});
      context.report.take(kName, node.name, "one pixel is only reshaped");
      changed = true;
      continue;
    }
    const Node& before = rewriter.result().node(rewriter.map(node.inputs[0]));
    const std::optional<Op> both = merged(before.op, node.op);
    if (!both) {
      rewriter.copy(id);
      continue;
    }
    context.report.take(
        kName, node.name, cat("merged with the ", op_name(before.op), " before it"));
    const Value source = before.inputs[0];
    if (*both == before.op) {
      rewriter.replace(id, rewriter.map(node.inputs[0]));
    } else if (is_no_op(*both, rewriter.result().desc(source), output)) {
      rewriter.replace(id, source);
    } else {
      rewriter.copy_onto(id, *both, {source});
    }
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
