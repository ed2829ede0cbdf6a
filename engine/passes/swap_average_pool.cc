// Conv2d{1x1, act}(AveragePool(x))  ==>  AveragePool{act}(Conv2d{1x1}(x))
//
// Legal when nothing else uses the pooled values: a mean and a product over channels commute, each
// being a weighted sum. So does a bias where every window's weights sum to 1, which is so unless
// padding is counted. The activation stays behind both. Taken where it lowers work, which is where
// the convolution leaves fewer channels; it then also reads what its siblings read.
// Dense(GlobalPool(x)) is the same pair, with one window: swapping it is never less work, which the
// report says.
#include <array>
#include <utility>

#include "engine/core/require.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "swap-average-pool";

/// Whether every output pixel is a sum over the channels of one input pixel.
bool is_pixelwise(const Graph& graph, const Node& node) {
  const Conv2d& conv = *node.as<Conv2d>();
  const Shape& weights = graph.desc(node.inputs[1]).shape;
  return weights[1] == 1 && weights[2] == 1 && conv.strides == std::array<std::int64_t, 2>{1, 1} &&
         conv.pads == Pads{0, 0, 0, 0} && conv.groups == 1;
}

/// Additions and multiply-adds of one picture, pooled first and pooled last.
struct Work {
  std::int64_t pool_first;
  std::int64_t pool_last;
};

Work work_of(const Graph& graph, const Node& pool_node, const Node& conv_node) {
  const auto& pool = *pool_node.as<AveragePool>();
  const Shape& x = graph.desc(pool_node.inputs[0]).shape;
  const Shape& y = conv_node.outputs[0].shape;
  const std::int64_t all = x[1] * x[2];
  const std::int64_t pooled = y[1] * y[2];
  const std::int64_t window = pool.kernel[0] * pool.kernel[1];
  return {.pool_first = pooled * x[3] * (window + y[3]),
          .pool_last = all * x[3] * y[3] + pooled * y[3] * window};
}

std::string more_work(const Work& work) {
  return cat(
      "it would take ", work.pool_last, " operations for a picture instead of ", work.pool_first);
}

/// Why a Dense behind a global average pool stays there: one operator for both is nowhere, and in
/// front of it every pixel would be weighed.
std::string global_pool_obstacle(const Graph& graph, const Node& dense) {
  const Shape& x = graph.desc(graph.node(dense.inputs[0]).inputs[0]).shape;
  const std::int64_t features = dense.outputs[0].shape[1];
  const std::int64_t pixels = x[1] * x[2];
  return cat("no backend pools and weighs in one operator, and the other way round ",
             more_work({.pool_first = pixels * x[3] + x[3] * features,
                        .pool_last = pixels * x[3] * features + pixels * features}));
}

bool follows_global_average(const Graph& graph, const Node& node) {
  if (node.as<Dense>() == nullptr) return false;
  const Node& before = graph.node(node.inputs[0]);
  const auto* pool = before.as<GlobalPool>();
  if (pool == nullptr || pool->kind != PoolKind::kAverage) return false;
  const Shape& x = graph.desc(before.inputs[0]).shape;
  return x[1] * x[2] > 1;
}

std::string obstacle(const Graph& graph, const Node& conv_node, const TargetTraits& traits) {
  const Conv2d& conv = *conv_node.as<Conv2d>();
  const Node& pool_node = graph.node(conv_node.inputs[0]);
  const auto& pool = *pool_node.as<AveragePool>();
  if (!is_pixelwise(graph, conv_node)) return "the convolution reads more than one pixel";
  if (conv.residual) return "a residual is added behind the convolution";
  if (pool.activation.kind != ActivationKind::kNone) return "an activation lies in between";
  if (conv.input_activation != ActivationKind::kNone) return "a Relu lies in between";
  if (conv.activation_channels != 0) return "the activation applies to some channels only";
  if (graph.use_count(conv_node.inputs[0].node) != 1) {
    return cat("'", pool_node.name, "' is also used elsewhere");
  }
  if (pool.count_padding && pool.pads != Pads{0, 0, 0, 0} && conv.bias) {
    return "the padding counts, and the bias must not be averaged with it";
  }
  const ActivationKind activation = conv.activation.kind;
  if (activation != ActivationKind::kNone &&
      !(traits.fuses_pool_activation && traits.fuses(activation))) {
    return "the target does not apply the activation inside its pools";
  }
  const Work work = work_of(graph, pool_node, conv_node);
  return work.pool_last < work.pool_first ? "" : more_work(work);
}

}  // namespace

bool swap_average_pool(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const bool matches =
        node.as<Conv2d>() != nullptr && graph.node(node.inputs[0]).as<AveragePool>() != nullptr;
    if (!matches) {
      if (follows_global_average(graph, node)) {
        context.report.refuse(kName, node.name, global_pool_obstacle(graph, node));
      }
      rewriter.copy(id);
      continue;
    }
    const std::string reason = obstacle(graph, node, context.traits);
    if (!reason.empty()) {
      context.report.refuse(kName, node.name, reason);
      rewriter.copy(id);
      continue;
    }

    const Node& pool_node = graph.node(node.inputs[0]);
    Conv2d conv = *node.as<Conv2d>();
    AveragePool pool = *pool_node.as<AveragePool>();
    pool.activation = std::exchange(conv.activation, Activation{});
    std::vector<Value> inputs = rewriter.map(node.inputs);
    inputs[0] = rewriter.map(pool_node.inputs[0]);
    const Value product = rewriter.add(conv, std::move(inputs), cat(node.name, "/before_pool"));
    rewriter.copy_onto(id, pool, {product});
    context.report.take(kName, node.name, cat("moved in front of '", pool_node.name, "'"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
