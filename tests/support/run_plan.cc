#include "tests/support/run_plan.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "engine/graph/half.h"
#include "engine/graph/random_weights.h"
#include "engine/runtime/execution_context.h"

namespace fovea::test {

Floats random_floats(std::int64_t count, std::uint64_t seed) {
  Floats values(static_cast<std::size_t>(count));
  fill_uniform("test", seed, -2.0, 2.0, values);
  return values;
}

namespace {

template <typename T>
Floats converted(std::span<const T> elements) {
  Floats values;
  for (const T element : elements) values.push_back(static_cast<float>(element));
  return values;
}

}  // namespace

Floats random_values(const TensorDesc& desc, std::uint64_t seed) {
  Floats values = random_floats(num_elements(desc.shape), seed);
  if (desc.dtype == DType::kUInt8) {
    for (float& value : values) value = std::floor((value + 2.0F) * 64.0F);
  }
  return values;
}

namespace {

/// A tensor of a 16-bit float type as float32, or the other way round.
std::vector<std::byte> cast(const ConstTensorView& from, DType to) {
  const TensorDesc desc{to, from.desc->shape};
  std::vector<std::byte> bytes(byte_size(desc));
  const TensorView target{&desc, bytes.data()};
  Cast{to}.evaluate({&from, 1}, {&target, 1});
  return bytes;
}

}  // namespace

Floats to_floats(const ConstTensorView& view) {
  switch (view.desc->dtype) {
    case DType::kFloat16:
    case DType::kBFloat16: {
      const TensorDesc desc{DType::kFloat32, view.desc->shape};
      return to_floats({&desc, cast(view, DType::kFloat32).data()});
    }
    case DType::kInt32:
      return converted(view.as<std::int32_t>());
    case DType::kUInt8:
      return converted(view.as<std::uint8_t>());
    default:
      return {view.floats().begin(), view.floats().end()};
  }
}

std::vector<std::byte> to_bytes(const TensorDesc& desc, const Floats& values) {
  if (is_half(desc.dtype)) {
    const TensorDesc floats{DType::kFloat32, desc.shape};
    return cast({&floats, to_bytes(floats, values).data()}, desc.dtype);
  }
  std::vector<std::byte> bytes(values.size() * element_size(desc.dtype));
  if (desc.dtype == DType::kUInt8) {
    std::transform(values.begin(), values.end(), bytes.begin(), [](float value) {
      return static_cast<std::byte>(value);
    });
  } else {
    std::memcpy(bytes.data(), values.data(), bytes.size());
  }
  return bytes;
}

NamedFloats random_inputs(const Graph& graph, std::int64_t n, std::uint64_t seed) {
  NamedFloats inputs;
  for (const NodeId id : graph.inputs()) {
    const Node& node = graph.node(id);
    inputs[node.name] = random_values(with_batch(node.outputs[0], n), seed++);
  }
  return inputs;
}

NamedFloats named_outputs(const ExecutionPlan& plan,
                          std::int64_t n,
                          std::span<const std::span<const std::byte>> bytes) {
  NamedFloats outputs;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const TensorDesc desc = with_batch(plan.outputs[i].desc, n);
    outputs[plan.outputs[i].name] = to_floats({&desc, bytes[i].data()});
  }
  return outputs;
}

NamedFloats run_plan(const std::shared_ptr<const ExecutionPlan>& plan,
                     std::int64_t n,
                     const NamedFloats& inputs) {
  std::vector<std::vector<std::byte>> input_bytes;
  std::vector<std::span<const std::byte>> in;
  for (const TensorInfo& input : plan->inputs) {
    input_bytes.push_back(to_bytes(input.desc, inputs.at(input.name)));
  }
  for (const auto& buffer : input_bytes) in.emplace_back(buffer);
  std::vector<std::vector<std::byte>> bytes;
  std::vector<std::span<std::byte>> out;
  for (const TensorInfo& output : plan->outputs) {
    bytes.emplace_back(byte_size(with_batch(output.desc, n)));
  }
  for (auto& buffer : bytes) out.emplace_back(buffer);
  ExecutionContext(plan).run(n, in, out);

  const std::vector<std::span<const std::byte>> written(bytes.begin(), bytes.end());
  return named_outputs(*plan, n, written);
}

NamedFloats run_graph(const Graph& graph,
                      std::shared_ptr<const Backend> backend,
                      std::int64_t n,
                      const NamedFloats& inputs) {
  return run_plan(
      compile_plan(graph, std::move(backend), {.buckets = {n}, .threads = 1}), n, inputs);
}

}  // namespace fovea::test
