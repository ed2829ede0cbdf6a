// a = Conv2d(x, wa, ba)                    y = Conv2d(x, [wa; wb], [ba; bb])
// b = Conv2d(x, wb, bb)             ==>    a = Slice(y, 0, A),  b = Slice(y, A, B)
//
// Legal for convolutions of one input with equal windows: each output channel is a sum of its own.
// One operator has one activation, so siblings of equal activation join; where the target can apply
// it to the first channels only, those without any follow behind them. Apart stay those whose
// weights are unknown, that add a residual, that leave the graph, whose reader needs its input
// dense, or that are written straight into a place of a Concat, which a slice would be copied to.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "engine/core/require.h"
#include "engine/passes/constants.h"
#include "engine/passes/pass.h"
#include "engine/passes/readers.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "fuse-siblings";

using Family = std::vector<NodeId>;

using Source = std::pair<NodeId, std::int32_t>;

Source source_of(const Node& node) {
  return {node.inputs[0].node, node.inputs[0].output};
}

/// Convolutions of one input with equal windows, in order; only those that have siblings.
std::vector<Family> families(const Graph& graph) {
  using Pair = std::array<std::int64_t, 2>;
  std::map<std::tuple<Source, ActivationKind, Pair, Pair, Pair, Pads>, Family> by_window;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const auto* conv = node.as<Conv2d>();
    if (conv == nullptr || conv->groups != 1) continue;
    const Shape& weights = graph.desc(node.inputs[1]).shape;
    by_window[{source_of(node),
               conv->input_activation,
               {weights[1], weights[2]},
               conv->strides,
               conv->dilations,
               conv->pads}]
        .push_back(id);
  }
  std::vector<Family> result;
  for (auto& [window, family] : by_window) {
    if (family.size() > 1) result.push_back(std::move(family));
  }
  return result;
}

/// Says of the convolutions that share their input with others, but are in no family, why.
void report_alone(const Graph& graph, const std::vector<Family>& families, Report& report) {
  std::map<Source, Family> by_source;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).as<Conv2d>() != nullptr) by_source[source_of(graph.node(id))].push_back(id);
  }
  std::set<NodeId> siblings;
  for (const Family& family : families) siblings.insert(family.begin(), family.end());
  for (const auto& [source, readers] : by_source) {
    for (const NodeId id : readers) {
      if (readers.size() == 1 || siblings.contains(id)) continue;
      const Node& node = graph.node(id);
      report.refuse(kName,
                    node.name,
                    node.as<Conv2d>()->groups != 1
                        ? "it is a grouped convolution"
                        : "no other convolution of its input has its window, strides and border");
    }
  }
}

bool joins_channels(const Node& node) {
  const auto* concat = node.as<Concat>();
  return concat != nullptr &&
         concat->axis == static_cast<std::int64_t>(node.outputs[0].shape.size()) - 1;
}

/// What keeps a convolution apart from all siblings, or "".
std::string obstacle(const Graph& graph,
                     NodeId id,
                     const std::vector<NodeId>& read_by,
                     const PassContext& context) {
  const Node& node = graph.node(id);
  const TargetTraits& traits = context.traits;
  const Conv2d& conv = *node.as<Conv2d>();
  if (!traits.reads_slices) return "the target does not read channel slices";
  if (conv.residual) return "it adds a residual";
  if (conv.activation_channels != 0) return "its activation applies to some channels only";
  if (float_constant(graph, node.inputs[1]) == nullptr ||
      (conv.bias && float_constant(graph, node.inputs[2]) == nullptr)) {
    return "its parameters are not constant";
  }
  const int alignment = traits.channel_alignment(context.precision);
  if (node.outputs[0].shape[3] % alignment != 0) {
    return cat("slices start at multiples of ",
               alignment,
               " channels, and it has ",
               node.outputs[0].shape[3]);
  }
  if (is_output(graph, id)) return "it is an output of the graph";
  for (const NodeId reader_id : read_by) {
    const Node& reader = graph.node(reader_id);
    if (joins_channels(reader) && traits.writes_slices) {
      return cat("it is written straight into its place in '", reader.name, "'");
    }
    if (!reads_slices(reader.op)) {
      return cat("'", reader.name, "' (", op_name(reader.op), ") needs it dense");
    }
  }
  return {};
}

/// Splits siblings by activation, in order. Those without one follow the largest other part whose
/// activation the target applies to some channels only.
std::vector<Family> by_activation(const Graph& graph,
                                  const Family& siblings,
                                  const PassContext& context) {
  std::vector<Family> parts;
  const auto activation = [&](NodeId id) { return graph.node(id).as<Conv2d>()->activation; };
  for (const NodeId id : siblings) {
    const auto part = std::ranges::find_if(
        parts, [&](const Family& p) { return activation(p[0]) == activation(id); });
    if (part != parts.end()) {
      part->push_back(id);
    } else {
      parts.push_back({id});
    }
  }
  const auto bare = std::ranges::find_if(
      parts, [&](const Family& p) { return activation(p[0]).kind == ActivationKind::kNone; });
  if (bare == parts.end()) return parts;
  const auto takes = [&](const Family& part) {
    const ActivationKind kind = activation(part[0]).kind;
    // Half precision is put in later, or was there from the start.
    const bool in_float32 = context.precision == Precision::kFp32 &&
                            graph.node(part[0]).outputs[0].dtype == DType::kFloat32;
    const bool partly =
        in_float32 && kind != ActivationKind::kNone && context.traits.fuses_partly(kind);
    return partly ? part.size() : 0;
  };
  const auto host = std::ranges::max_element(parts, {}, takes);
  if (takes(*host) == 0) return parts;
  host->insert(host->end(), bare->begin(), bare->end());
  parts.erase(bare);
  return parts;
}

/// Elements of one picture that a convolution reads, each pixel once or where a window needs it.
std::int64_t elements_read(const Graph& graph, const Node& node) {
  const Shape& x = graph.desc(node.inputs[0]).shape;
  const Shape& w = graph.desc(node.inputs[1]).shape;
  const Shape& y = node.outputs[0].shape;
  return std::min(x[1] * x[2], y[1] * y[2] * w[1] * w[2]) * x[3];
}

/// Share of the siblings' traffic, in per cent, that reading their input once saves.
std::int64_t saving(const Graph& graph, const Family& siblings) {
  const Node& first = graph.node(siblings[0]);
  const std::int64_t read = elements_read(graph, first);
  const std::int64_t pixels = first.outputs[0].shape[1] * first.outputs[0].shape[2];
  std::int64_t written = 0;
  for (const NodeId id : siblings) written += pixels * graph.node(id).outputs[0].shape[3];
  const auto count = static_cast<std::int64_t>(siblings.size());
  return 100 * (count - 1) * read / (count * read + written);
}

/// Less than this is not worth what it costs: fewer engines take an activation of some channels,
/// and a reader's pixels lie further apart.
constexpr std::int64_t kLeastSaving = 10;

/// The filters and biases of all siblings, one after the other; no bias counts as zeros.
struct Parameters {
  Constant weights;
  std::vector<float> bias;
  bool has_bias = false;
};

Parameters join(const Graph& graph, const Family& siblings) {
  Parameters joined;
  std::vector<Constant> weights;
  for (const NodeId id : siblings) {
    const Node& node = graph.node(id);
    weights.push_back(*float_constant(graph, node.inputs[1]));
    std::vector<float> bias(static_cast<std::size_t>(weights.back().desc.shape[0]));
    if (node.as<Conv2d>()->bias) {
      if (auto values = constant_floats(graph, node.inputs[2])) bias = *std::move(values);
      joined.has_bias = true;
    }
    joined.bias.insert(joined.bias.end(), bias.begin(), bias.end());
  }
  joined.weights = joined_rows(weights);
  return joined;
}

/// Channels of the leading siblings that have an activation; 0 where that is all or none.
std::int64_t activated_channels(const Graph& graph, const Family& siblings) {
  std::int64_t channels = 0;
  for (const NodeId id : siblings) {
    const Node& node = graph.node(id);
    if (node.as<Conv2d>()->activation.kind == ActivationKind::kNone) return channels;
    channels += node.outputs[0].shape[3];
  }
  return 0;
}

Value add_joined(Rewriter& rewriter, const Graph& graph, const Family& siblings) {
  const Node& first = graph.node(siblings[0]);
  Parameters parameters = join(graph, siblings);
  Conv2d conv = *first.as<Conv2d>();
  conv.activation_channels = activated_channels(graph, siblings);
  conv.bias = parameters.has_bias;
  const std::string name = cat(first.name, "/siblings");
  std::vector<Value> inputs{rewriter.map(first.inputs[0]),
                            rewriter.add(std::move(parameters.weights), {}, cat(name, "/weights"))};
  if (conv.bias) {
    const auto channels = static_cast<std::int64_t>(parameters.bias.size());
    inputs.push_back(
        rewriter.add(make_constant({channels}, parameters.bias), {}, cat(name, "/bias")));
  }
  return rewriter.add(conv, std::move(inputs), name);
}

/// The siblings that nothing keeps apart; says of the others what does.
Family willing_ones(const Graph& graph, const Family& siblings, PassContext& context) {
  const auto read_by = readers(graph);
  Family willing;
  for (const NodeId id : siblings) {
    const std::string reason = obstacle(graph, id, read_by[static_cast<std::size_t>(id)], context);
    if (reason.empty()) {
      willing.push_back(id);
    } else {
      context.report.refuse(kName, graph.node(id).name, reason);
    }
  }
  return willing;
}

/// Why siblings of one activation do not join, or "".
///
/// willing      how many of all would
/// bare_apart   those without an activation follow no others
std::string objection(const Graph& graph,
                      const Family& part,
                      std::size_t willing,
                      bool bare_apart) {
  if (willing == 1) return "all its siblings stay apart";
  if (part.size() == 1) {
    return bare_apart ? "its siblings have another activation, and in this precision the target "
                        "applies none to some channels only"
                      : "its siblings have another activation";
  }
  const std::int64_t share = saving(graph, part);
  if (share >= kLeastSaving) return {};
  return cat("it would save ", share, " % of the traffic, less than ", kLeastSaving);
}

/// "'a', 'b'": the siblings but one.
std::string others(const Graph& graph, const Family& siblings, NodeId but) {
  std::string names;
  for (const NodeId id : siblings) {
    if (id != but) names += cat(names.empty() ? "" : ", ", "'", graph.node(id).name, "'");
  }
  return names;
}

/// Sorts out who joins whom and says why not.
std::vector<Family> choose(const Graph& graph, PassContext& context) {
  std::vector<Family> chosen;
  const std::vector<Family> all = families(graph);
  report_alone(graph, all, context.report);
  for (const Family& family : all) {
    const Family willing = willing_ones(graph, family, context);
    std::vector<Family> parts = by_activation(graph, willing, context);
    const bool bare_apart =
        parts.size() > 1 && std::ranges::any_of(parts, [&](const Family& part) {
          return graph.node(part[0]).as<Conv2d>()->activation.kind == ActivationKind::kNone;
        });
    for (Family& part : parts) {
      const std::string reason = objection(graph, part, willing.size(), bare_apart);
      if (reason.empty()) {
        chosen.push_back(std::move(part));
        continue;
      }
      for (const NodeId id : part) context.report.refuse(kName, graph.node(id).name, reason);
    }
  }
  return chosen;
}

/// Where a convolution's result went: which family, and from which channel on.
struct Share {
  std::size_t family = 0;
  std::int64_t begin = 0;
};

}  // namespace

bool fuse_siblings(Graph& graph, PassContext& context) {
  const std::vector<Family> chosen = choose(graph, context);
  if (chosen.empty()) return false;
  std::map<NodeId, Share> shares;
  for (std::size_t f = 0; f < chosen.size(); ++f) {
    std::int64_t begin = 0;
    for (const NodeId id : chosen[f]) {
      shares[id] = {f, begin};
      begin += graph.node(id).outputs[0].shape[3];
    }
  }

  Rewriter rewriter(graph);
  std::vector<Value> joined(chosen.size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto share = shares.find(id);
    if (share == shares.end()) {
      rewriter.copy(id);
      continue;
    }
    const auto [family, begin] = share->second;
    if (joined[family].node < 0) joined[family] = add_joined(rewriter, graph, chosen[family]);
    const Node& node = graph.node(id);
    const Slice slice{.begin = begin, .size = node.outputs[0].shape[3]};
    rewriter.copy_onto(id, slice, {joined[family]});
    context.report.take(
        kName,
        node.name,
        cat("computed with ", others(graph, chosen[family], id), " by one convolution"));
  }
  graph = rewriter.finish();
  return true;
}

}  // namespace fovea
