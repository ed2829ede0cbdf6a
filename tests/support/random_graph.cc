#include "tests/support/random_graph.h"

#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "engine/core/require.h"
#include "tests/support/graph_patterns.h"

namespace fovea::test {

namespace {

/// One of the patterns, each as often as its weight says.
const GraphPattern& any_pattern(GraphMaker& maker) {
  const std::span<const GraphPattern> patterns = graph_patterns();
  int sum = 0;
  for (const GraphPattern& pattern : patterns) sum += pattern.weight;
  auto left = maker.between(1, sum);
  for (const GraphPattern& pattern : patterns) {
    left -= pattern.weight;
    if (left <= 0) return pattern;
  }
  return patterns.back();
}

/// Most results that nobody reads leave the graph, and now and then one that somebody does; the
/// rest is dead.
void mark_outputs(GraphMaker& maker) {
  Graph& graph = maker.graph();
  const auto mark = [&](NodeId id, std::size_t output) {
    const Value value{id, static_cast<std::int32_t>(output)};
    const auto number = graph.outputs().size();
    graph.mark_output(value, maker.chance(50) ? cat("out_", number) : std::string());
  };
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.as<Constant>() != nullptr || node.outputs[0].dtype != DType::kFloat32) continue;
    if (!maker.chance(graph.use_count(id) == 0 ? 80 : 4)) continue;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) mark(id, i);
  }
  if (graph.outputs().empty()) mark(maker.picture().node, 0);
}

template <typename T>
Bytes to_bytes(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

Graph random_graph(std::uint64_t seed) {
  GraphMaker maker(seed);
  add_head(maker);
  for (std::int64_t i = maker.between(1, 9); i > 0; --i) any_pattern(maker).add(maker);
  if (maker.chance(40)) add_tail(maker);
  mark_outputs(maker);
  return std::move(maker.graph());
}

std::map<std::string, Bytes> random_graph_inputs(const Graph& graph, std::uint64_t seed) {
  GraphMaker dice(seed);
  std::map<std::string, Bytes> inputs;
  for (const NodeId id : graph.inputs()) {
    const Node& node = graph.node(id);
    const TensorDesc& desc = node.outputs[0];
    const auto count = static_cast<std::size_t>(num_elements(desc.shape));
    if (desc.dtype == DType::kFloat32) {
      std::vector<float> values(count);
      for (float& value : values) {
        value = static_cast<float>(dice.between(-2'000'000, 2'000'000)) / 1e6F;
      }
      inputs[node.name] = to_bytes(values);
    } else if (desc.dtype == DType::kInt64) {
      // Where each picture lies among the pixels: its width, its height, its first byte.
      std::vector<std::int64_t> table;
      for (std::int64_t n = 0; n < desc.shape[0]; ++n) {
        table.insert(table.end(), {dice.between(1, 6), dice.between(1, 6), n * kRaggedPicture});
      }
      inputs[node.name] = to_bytes(table);
    } else {
      std::vector<std::uint8_t> values(count);
      for (auto& value : values) value = static_cast<std::uint8_t>(dice.between(0, 255));
      inputs[node.name] = to_bytes(values);
    }
  }
  return inputs;
}

}  // namespace fovea::test
