// The pass pipeline: the only place that knows the order.
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "engine/core/joined.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"
#include "engine/passes/pass.h"

namespace fovea {

PassFn drop_dead_nodes;
PassFn resize_on_host;
PassFn remove_no_ops;
PassFn fold_constants;
PassFn merge_equal_nodes;
PassFn fold_pad;
PassFn fold_batch_norm;
PassFn fold_input_norm;
PassFn fuse_residual;
PassFn hoist_activation;
PassFn fuse_activation;
PassFn fuse_input_activation;
PassFn swap_average_pool;
PassFn pad_channels;
PassFn fuse_siblings;
PassFn fuse_softmax_topk;
PassFn reduce_precision;
PassFn merge_columns;
PassFn fuse_resize_normalize;
PassFn fuse_separable;

namespace {

constexpr std::array kPasses{
    // First: what nobody needs must not count as a use. Every later pass leaves none behind.
    Pass{"drop-dead-nodes", drop_dead_nodes},
    // Before all others that rewrite: it decides where the plan begins.
    Pass{"resize-on-host", resize_on_host},
    // Before all patterns, so that no later one has to look through nodes that do nothing.
    Pass{"remove-no-ops", remove_no_ops},
    // Before everything that reads weights: transposed or quantised ones become plain constants.
    // The compiler runs it once more behind all others, whoever leaves it out.
    Pass{"fold-constants", fold_constants},
    // After both, which make equal nodes of different ones; before the fusions, which would put
    // them into different operators and then count them as two uses.
    Pass{"merge-equal-nodes", merge_equal_nodes},
    // Before activations are fused: the MaxPool rule looks for the Relu that proves its condition.
    Pass{"fold-pad", fold_pad},
    // Before sums and activations are fused: a BatchNorm can only join a bare convolution.
    Pass{"fold-batch-norm", fold_batch_norm},
    // After it: joining the convolution before costs nothing, ever; the one behind may have a
    // border.
    Pass{"fold-input-norm", fold_input_norm},
    // Before activations: the Relu behind a residual sum is the convolution's own afterwards.
    Pass{"fuse-residual", fuse_residual},
    // Right before activations are fused: it brings them to where that is possible.
    Pass{"hoist-activation", hoist_activation},
    // After everything that removes, moves or makes activations: it takes what is left behind a
    // producer, sums of residuals included.
    Pass{"fuse-activation", fuse_activation},
    // After it: a Relu that its producer applies is free for every reader.
    Pass{"fuse-input-activation", fuse_input_activation},
    // Behind activations: the one behind the convolution moves behind the pool.
    Pass{"swap-average-pool", swap_average_pool},
    // Before siblings join: slices of them start at whole multiples then.
    Pass{"pad-channels", pad_channels},
    // Behind everything that puts something into a convolution, because a joined one takes in no
    // more; behind swap-average-pool, which makes siblings.
    Pass{"fuse-siblings", fuse_siblings},
    // Anywhere behind the no-ops: no other pass touches a Softmax or a TopK.
    Pass{"fuse-softmax-top-k", fuse_softmax_topk},
    // Behind all fusions: what one operator sums, adds and clamps is rounded once, at its end.
    Pass{"reduce-precision", reduce_precision},
    // Behind it, since it is for 16-bit types, and behind pad-channels, whose eight channels it
    // makes four of.
    Pass{"merge-columns", merge_columns},
    // Behind all three, which look for a NormalizeImage: the elements are written in the type and
    // with the channels that these chose.
    Pass{"fuse-resize-normalize", fuse_resize_normalize},
    // Last: whatever looks for a convolution has found it, and both parts compute in one type.
    Pass{"fuse-separable", fuse_separable},
};

}  // namespace

void Report::take(std::string_view pass, std::string_view node, std::string what) {
  decisions_.push_back({std::string(pass), std::string(node), true, std::move(what)});
}

void Report::refuse(std::string_view pass, std::string_view node, std::string condition) {
  decisions_.push_back({std::string(pass), std::string(node), false, std::move(condition)});
}

void Report::add_new(const Report& other) {
  std::set<Decision> known(decisions_.begin(), decisions_.end());
  for (const Decision& decision : other.decisions_) {
    if (known.insert(decision).second) decisions_.push_back(decision);
  }
}

std::span<const Pass> default_passes() {
  return kPasses;
}

const Pass& find_pass(std::string_view name) {
  const auto* pass =
      std::find_if(kPasses.begin(), kPasses.end(), [&](const Pass& p) { return p.name == name; });
  if (pass != kPasses.end()) return *pass;
  throw InvalidArgument(cat(
      "no pass is called '", printable(name), "'; there are ", joined(kPasses, ", ", &Pass::name)));
}

std::vector<Pass> passes_without(std::span<const std::string> names) {
  std::vector<Pass> passes(kPasses.begin(), kPasses.end());
  for (const std::string& name : names) {
    std::erase_if(passes, [pass = find_pass(name)](const Pass& p) { return p.name == pass.name; });
  }
  return passes;
}

void run_passes(Graph& graph, std::span<const Pass> passes, PassContext& context) {
  for (const Pass& pass : passes) {
    const bool changed = pass.run(graph, context);
    if (!changed) continue;
#ifndef NDEBUG
    graph.verify();
#endif
    if (context.on_change) context.on_change(pass.name, graph);
  }
}

}  // namespace fovea
