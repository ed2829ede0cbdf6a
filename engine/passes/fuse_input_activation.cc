// Relu -> depthwise Conv2d, one or more  ==>  Conv2d{input_activation = relu}, each of Relu's input
//
// Legal where only depthwise convolutions read the Relu, none of which has a Relu on its input yet,
// and the target applies one there. The border stays zero, as relu(0) = 0. What else reads the
// Relu's input does not matter: Xception's shortcuts do, which is why the Relu cannot join its
// producer. Not for other convolutions: they would apply it once per output channel.
#include <algorithm>
#include <vector>

#include "engine/core/require.h"
#include "engine/passes/pass.h"
#include "engine/passes/readers.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "fuse-input-activation";

bool is_depthwise(const Graph& graph, const Node& node) {
  const auto* conv = node.as<Conv2d>();
  return conv != nullptr && conv->groups > 1 && conv->groups == graph.desc(node.inputs[0]).shape[3];
}

/// The condition that keeps `user` from applying the Relu `relu`, which it reads, or "".
std::string obstacle_in(const Graph& graph, const Node& user, NodeId relu) {
  if (!is_depthwise(graph, user)) {
    return cat("'", user.name, "' reads it too and is no depthwise convolution");
  }
  const auto reads = std::ranges::count(user.inputs, Value{relu, 0});
  if (user.inputs[0].node != relu || reads != 1) {
    return cat("'", user.name, "' adds it to its sums");
  }
  const Conv2d& conv = *user.as<Conv2d>();
  if (conv.input_activation != ActivationKind::kNone) {
    return cat("'", user.name, "' has an activation on its input already");
  }
  // What the kernels that read through a Relu do not do, so that nothing is gained.
  if (conv.residual) return cat("'", user.name, "' adds a residual");
  if (user.outputs[0].shape[3] != conv.groups) return cat("'", user.name, "' makes more channels");
  if (conv.activation.kind == ActivationKind::kTanh ||
      conv.activation.kind == ActivationKind::kSigmoid) {
    return cat("'", user.name, "' has an activation that is no bound");
  }
  return {};
}

/// The same of all users of the node, and of the graph's outputs.
std::string obstacle(const Graph& graph,
                     NodeId relu,
                     const std::vector<NodeId>& users,
                     const TargetTraits& traits) {
  if (!traits.fuses_input_relu) {
    return "the target's depthwise convolutions apply no Relu to their input";
  }
  if (is_output(graph, relu)) return cat("'", graph.node(relu).name, "' is an output too");
  for (const NodeId user : users) {
    const std::string reason = obstacle_in(graph, graph.node(user), relu);
    if (!reason.empty()) return reason;
  }
  return {};
}

}  // namespace

bool fuse_input_activation(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  std::vector<bool> fused(graph.nodes().size(), false);  // the Relus that their readers apply
  const std::vector<std::vector<NodeId>> users = readers(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const std::vector<NodeId>& its_users = users[static_cast<std::size_t>(id)];
    const bool is_candidate =
        node.as<Relu>() != nullptr && std::ranges::any_of(its_users, [&](NodeId user) {
          return is_depthwise(graph, graph.node(user));
        });
    if (is_candidate) {
      const std::string reason = obstacle(graph, id, its_users, context.traits);
      if (!reason.empty()) {
        context.report.refuse(kName, node.name, reason);
        rewriter.copy(id);
        continue;
      }
      fused[static_cast<std::size_t>(id)] = true;
      rewriter.replace(id, rewriter.map(node.inputs[0]));
      context.report.take(kName, node.name, "applied by the depthwise convolutions that read it");
      changed = true;
      continue;
    }
    const auto* conv = node.as<Conv2d>();
    if (conv == nullptr || !fused[static_cast<std::size_t>(node.inputs[0].node)]) {
      rewriter.copy(id);
      continue;
    }
    Conv2d with_relu = *conv;
    with_relu.input_activation = ActivationKind::kRelu;
    rewriter.copy_with(id, with_relu);
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
