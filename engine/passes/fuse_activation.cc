// Conv2d, Dense, Add or AveragePool -> Relu, Clip, Tanh or Sigmoid
//   ==>  the producer with that activation
//
// Legal when nothing else uses the producer's result (the value before the activation is then never
// seen), it has no activation yet, and the target applies this one inside its producers.
#include <optional>

#include "engine/core/require.h"
#include "engine/passes/fusable_activation.h"
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "fuse-activation";

}  // namespace

bool fuse_activation(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const std::optional<Activation> activation = activation_of(node);
    if (!activation) {
      rewriter.copy(id);
      continue;
    }
    const Value input = node.inputs[0];
    const Node& producer = graph.node(input);
    const std::string reason = activation_obstacle(graph, input.node, node, context.traits);
    if (!reason.empty()) {
      context.report.refuse(kName, node.name, reason);
      rewriter.copy(id);
      continue;
    }

    Op op = producer.op;
    *carried_activation(op) = *activation;
    std::vector<Value> inputs = rewriter.map(producer.inputs);
    rewriter.copy_onto(id, std::move(op), std::move(inputs));
    context.report.take(kName, node.name, cat("applied inside '", producer.name, "'"));
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
