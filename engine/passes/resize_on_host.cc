// ResizeImage(Input pixels, Input table)  ==>  Input u8 [N,H,W,C]
//
// Legal when both inputs of the ResizeImage are graph inputs that nothing else reads. Taken where
// the target's pictures are resized by the threads that decode them: the plan then begins behind
// the resizing, and its caller hands over pictures of the network's own size.
#include "engine/passes/pass.h"
#include "engine/passes/rewriter.h"

namespace fovea {

namespace {

constexpr std::string_view kName = "resize-on-host";

bool only_feeds(const Graph& graph, Value value) {
  return graph.node(value).as<Input>() != nullptr && graph.use_count(value.node) == 1;
}

}  // namespace

bool resize_on_host(Graph& graph, PassContext& context) {
  std::vector<bool> dropped(graph.nodes().size(), false);
  for (const Node& node : graph.nodes()) {
    if (node.as<ResizeImage>() == nullptr) continue;
    if (!context.traits.resizes_on_host) {
      context.report.refuse(kName, node.name, "the target resizes pictures itself");
    } else if (only_feeds(graph, node.inputs[0]) && only_feeds(graph, node.inputs[1])) {
      for (const Value& input : node.inputs) dropped[static_cast<std::size_t>(input.node)] = true;
    } else {
      context.report.refuse(kName, node.name, "its inputs are also read elsewhere");
    }
  }

  Rewriter rewriter(graph);
  bool changed = false;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (dropped[static_cast<std::size_t>(id)]) continue;
    const bool moves =
        node.as<ResizeImage>() != nullptr && dropped[static_cast<std::size_t>(node.inputs[0].node)];
    if (!moves) {
      rewriter.copy(id);
      continue;
    }
    rewriter.copy_onto(id, Input{node.outputs[0]}, {});
    context.report.take(kName, node.name, "left to the decoding threads");
    changed = true;
  }
  if (changed) graph = rewriter.finish();
  return changed;
}

}  // namespace fovea
