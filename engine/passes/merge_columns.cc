// NormalizeImage [N,H,W,8] -> Cast -> Conv2d [O,R,S,8]
//   ==>  (4 columns of 4 channels are one of 16)
// NormalizeImage [N,H,W,4] -> Cast -> Reshape [N,H,W/4,16] -> Conv2d [n*O,R,T,16] -> Reshape
//
// The first convolution of a network reads 3 channels, of which tensor cores make 8 or 16: most of
// what they multiply is zeros, and libraries have no fast kernels for so few. Neighbouring columns
// are neighbours in memory, so that four of them, of 4 channels each, are one pixel of 16. A window
// then reads T such pixels, and where its stride is 1 or 2, n = 4 or 2 neighbouring outputs begin
// in one pixel and become so many times the filters, each with zeros where its own window does not
// reach; they also lie as before. Both Reshapes move nothing.
//
// Legal where columns are a multiple of four, and outputs of n. Taken in 16-bit types where it at
// most doubles what is multiplied: an element of a picture is then read once.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/require.h"
#include "engine/graph/half.h"
#include "engine/graph/ops/strided_copy.h"
#include "engine/passes/constants.h"
#include "engine/passes/pass.h"
#include "engine/passes/readers.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "merge-columns";

constexpr std::int64_t kColumns = 4;
constexpr std::int64_t kChannels = 4;  ///< of a column
constexpr std::int64_t kMerged = kColumns * kChannels;
constexpr std::int64_t kMostWork = 2;  ///< times the multiplications that there were

/// NormalizeImage, a Cast that reads it, and a Conv2d that reads that; others may read them too.
struct Stem {
  NodeId normalize;
  NodeId cast;
  NodeId conv;
};

/// Of the merged convolution.
struct Merged {
  std::int64_t outputs;  ///< n: neighbours that are computed as one
  std::int64_t first;    ///< merged pixel where the window of merged output 0 begins, <= 0
  std::int64_t window;   ///< T: merged pixels
  std::int64_t right;    ///< merged pixels of padding behind the last column
};

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/// All stems that begin with the node.
std::vector<Stem> find_stems(const Graph& graph,
                             NodeId id,
                             const std::vector<std::vector<NodeId>>& read_by) {
  std::vector<Stem> stems;
  if (graph.node(id).as<NormalizeImage>() == nullptr) return stems;
  for (const NodeId cast : read_by[static_cast<std::size_t>(id)]) {
    const Cast* op = graph.node(cast).as<Cast>();
    if (op == nullptr || !is_half(op->to)) continue;
    for (const NodeId conv : read_by[static_cast<std::size_t>(cast)]) {
      // One that reads the cast twice stands there twice, one after the other.
      const bool is_known = !stems.empty() && stems.back().conv == conv;
      if (graph.node(conv).as<Conv2d>() != nullptr && !is_known) stems.push_back({id, cast, conv});
    }
  }
  return stems;
}

Merged merge(const Graph& graph, const Node& node) {
  const auto& conv = *node.as<Conv2d>();
  const std::int64_t left = conv.pads[1];
  const std::int64_t columns = graph.desc(node.inputs[1]).shape[2];
  const std::int64_t stride = conv.strides[1];
  const std::int64_t outputs = kColumns / stride;
  const std::int64_t first = floor_div(-left, kColumns);
  const std::int64_t last = floor_div((outputs - 1) * stride + columns - 1 - left, kColumns);
  const std::int64_t window = last - first + 1;
  const std::int64_t merged_outputs = node.outputs[0].shape[2] / outputs;
  const std::int64_t merged_columns = graph.desc(node.inputs[0]).shape[2] / kColumns;
  return {outputs, first, window, merged_outputs - 1 + window - merged_columns + first};
}

/// Why the parameter's values cannot be moved; empty where they can. `name` is "weights are", say.
std::string parameter_obstacle(const Graph& graph, Value value, std::string_view name) {
  if (float_constant(graph, value) != nullptr) return {};
  const Constant* constant = graph.node(value).as<Constant>();
  if (constant == nullptr) return cat("its ", name, " computed");
  if (constant->data == nullptr) return cat("its ", name, " not known");
  return cat("its ", name, " of ", to_string(constant->desc.dtype));
}

/// Why the convolution stays as it is; empty where it does not.
std::string obstacle(const Graph& graph,
                     const Stem& stem,
                     const std::vector<std::vector<NodeId>>& read_by) {
  for (const NodeId id : {stem.normalize, stem.cast}) {
    if (!only_reader(graph, id, read_by[static_cast<std::size_t>(id)])) {
      return cat("'", graph.node(id).name, "' is read more than once");
    }
  }
  const Node& node = graph.node(stem.conv);
  const auto& conv = *node.as<Conv2d>();
  if (node.inputs[0].node != stem.cast) {
    return cat("'", graph.node(stem.cast).name, "' is not the picture that it reads");
  }
  std::string unknown = parameter_obstacle(graph, node.inputs[1], "weights are");
  if (unknown.empty() && conv.bias) unknown = parameter_obstacle(graph, node.inputs[2], "bias is");
  if (!unknown.empty()) return unknown;
  if (conv.groups != 1 || conv.dilations[1] != 1 || conv.residual ||
      conv.activation_channels != 0 || conv.input_activation != ActivationKind::kNone) {
    return "it is no plain convolution";
  }
  const std::int64_t channels = graph.desc(graph.node(stem.normalize).inputs[0]).shape[3];
  if (channels < kChannels - 1) return cat("a picture of ", channels, " channel has too few");
  const std::int64_t stride = conv.strides[1];
  if (kColumns % stride != 0) return cat("a stride of ", stride, " is no part of ", kColumns);
  const std::int64_t columns = graph.desc(node.inputs[0]).shape[2];
  if (columns % kColumns != 0) return cat(columns, " columns are no multiple of ", kColumns);
  const Merged merged = merge(graph, node);
  if (node.outputs[0].shape[2] % merged.outputs != 0) {
    return cat(node.outputs[0].shape[2], " columns of results are no multiple of ", merged.outputs);
  }
  if (merged.right < 0) return "its last columns are not read";
  const Shape& weights = graph.desc(node.inputs[1]).shape;
  if (merged.window * kMerged > kMostWork * weights[2] * weights[3]) {
    return "it would multiply too many zeros";
  }
  return {};
}

/// The filters of all neighbours, each moved to where its window begins.
Constant merged_weights(const Constant& weights,
                        std::int64_t channels,
                        const Conv2d& conv,
                        const Merged& merged) {
  const Shape& from = weights.desc.shape;
  const Shape to{merged.outputs * from[0], from[1], merged.window, kMerged};
  const PinnedBytes bytes = weights.read();
  const auto* values = reinterpret_cast<const float*>(bytes.data());
  const Shape from_strides = row_major_strides(from);
  const Shape to_strides = row_major_strides(to);
  std::vector<float> result(static_cast<std::size_t>(num_elements(to)));
  for (std::int64_t filter = 0; filter < to[0]; ++filter) {
    const std::int64_t begin = filter / from[0] * conv.strides[1] - conv.pads[1];
    for (std::int64_t row = 0; row < from[1]; ++row) {
      for (std::int64_t column = 0; column < from[2]; ++column) {
        const std::int64_t place = begin + column - merged.first * kColumns;
        const auto* source = values + filter % from[0] * from_strides[0] + row * from_strides[1] +
                             column * from_strides[2];
        auto* target =
            result.data() + filter * to_strides[0] + row * to_strides[1] + place * kChannels;
        std::copy_n(source, channels, target);
      }
    }
  }
  return make_constant(to, result);
}

Constant repeated(const Constant& bias, std::int64_t times) {
  return joined_rows(std::vector<Constant>(static_cast<std::size_t>(times), bias));
}

/// Adds the merged convolution in the place of the old one.
void add_merged(const Graph& graph, const Stem& stem, Rewriter& rewriter) {
  const Node& node = graph.node(stem.conv);
  const auto& conv = *node.as<Conv2d>();
  const Merged merged = merge(graph, node);
  const std::int64_t channels = graph.desc(graph.node(stem.normalize).inputs[0]).shape[3];

  Shape shape = graph.desc(node.inputs[0]).shape;
  shape[2] /= kColumns;
  shape[3] = kMerged;
  const Value x = rewriter.add(
      Reshape{shape}, {rewriter.map(node.inputs[0])}, cat(node.name, "/merged_columns"));
  std::vector<Value> inputs{
      x,
      rewriter.add(merged_weights(*float_constant(graph, node.inputs[1]), channels, conv, merged),
                   {},
                   cat(node.name, "/merged_weights"))};
  if (conv.bias) {
    inputs.push_back(rewriter.add(repeated(*float_constant(graph, node.inputs[2]), merged.outputs),
                                  {},
                                  cat(node.name, "/merged_bias")));
  }
  Conv2d wide = conv;
  wide.strides[1] = 1;
  wide.pads[1] = -merged.first;
  wide.pads[3] = merged.right;
  const Value y = rewriter.add(wide, std::move(inputs), cat(node.name, "/merged"));
  rewriter.copy_onto(stem.conv, Reshape{node.outputs[0].shape}, {y});
}

}  // namespace

bool merge_columns(Graph& graph, PassContext& context) {
  if (context.traits.channel_alignment(context.precision) <= 1) {
    context.report.refuse(kName, {}, "the target asks for no multiple of channels");
    return false;
  }
  const std::vector<std::vector<NodeId>> read_by = readers(graph);
  std::vector<Stem> stems;
  Rewriter rewriter(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    bool is_rewritten = false;
    for (const Stem& stem : find_stems(graph, id, read_by)) {
      const std::string& name = graph.node(stem.conv).name;
      const std::string reason = obstacle(graph, stem, read_by);
      if (!reason.empty()) {
        context.report.refuse(kName, name, reason);
        continue;
      }
      is_rewritten = true;
      stems.push_back(stem);
      NormalizeImage normalize = *graph.node(id).as<NormalizeImage>();
      normalize.channels = kChannels;
      rewriter.copy_with(id, normalize);
      context.report.take(
          kName, name, cat("reads ", kColumns, " columns as one of ", kMerged, " channels"));
    }
    if (is_rewritten) continue;
    const auto of_conv = std::ranges::find(stems, id, &Stem::conv);
    if (of_conv == stems.end()) {
      rewriter.copy(id);
    } else {
      add_merged(graph, *of_conv, rewriter);
    }
  }
  if (stems.empty()) return false;
  graph = rewriter.finish();
  return true;
}

}  // namespace fovea
