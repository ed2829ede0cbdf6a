#include "tests/support/run_plan.h"

#include <cstring>
#include <utility>

#include "engine/graph/random_weights.h"
#include "engine/runtime/execution_context.h"

namespace fovea::test {

Floats random_floats(std::int64_t count, std::uint64_t seed) {
  Floats values(static_cast<std::size_t>(count));
  fill_uniform("test", seed, -2.0, 2.0, values);
  return values;
}

NamedFloats random_inputs(const Graph& graph, std::int64_t n, std::uint64_t seed) {
  NamedFloats inputs;
  for (const NodeId id : graph.inputs()) {
    const Node& node = graph.node(id);
    inputs[node.name] = random_floats(num_elements(with_batch(node.outputs[0], n).shape), seed++);
  }
  return inputs;
}

NamedFloats run_plan(const std::shared_ptr<const ExecutionPlan>& plan,
                     std::int64_t n,
                     const NamedFloats& inputs) {
  std::vector<std::span<const std::byte>> in;
  for (const TensorInfo& input : plan->inputs) {
    in.push_back(std::as_bytes(std::span(inputs.at(input.name))));
  }
  std::vector<std::vector<std::byte>> bytes;
  std::vector<std::span<std::byte>> out;
  for (const TensorInfo& output : plan->outputs) {
    bytes.emplace_back(byte_size(with_batch(output.desc, n)));
  }
  for (auto& buffer : bytes) out.emplace_back(buffer);
  ExecutionContext(plan).run(n, in, out);

  NamedFloats outputs;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const TensorDesc desc = with_batch(plan->outputs[i].desc, n);
    const ConstTensorView view{&desc, bytes[i].data()};
    Floats& values = outputs[plan->outputs[i].name];
    if (desc.dtype == DType::kInt32) {
      for (const std::int32_t value : view.as<std::int32_t>()) {
        values.push_back(static_cast<float>(value));
      }
    } else {
      values.assign(view.floats().begin(), view.floats().end());
    }
  }
  return outputs;
}

NamedFloats run_graph(const Graph& graph,
                      std::shared_ptr<const Backend> backend,
                      std::int64_t n,
                      const NamedFloats& inputs) {
  return run_plan(
      compile_plan(graph, std::move(backend), {.buckets = {n}, .threads = 1}), n, inputs);
}

}  // namespace fovea::test
