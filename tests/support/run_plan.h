// Compiles a graph, runs it once and gives its float32 outputs by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/core/tensor_view.h"
#include "engine/plan/execution_plan.h"

namespace fovea::test {

using Floats = std::vector<float>;
using NamedFloats = std::map<std::string, Floats>;

/// `count` values in [-2, 2), the same for the same seed everywhere.
[[nodiscard]] Floats random_floats(std::int64_t count, std::uint64_t seed);

/// Random values that a tensor of this description can hold: random_floats(), or all of u8.
[[nodiscard]] Floats random_values(const TensorDesc& desc, std::uint64_t seed);

/// The elements of a float32, f16, bf16, i32 or u8 tensor.
[[nodiscard]] Floats to_floats(const ConstTensorView& view);

/// A float32, f16, bf16 or u8 tensor of these elements; 16-bit floats are rounded to nearest.
[[nodiscard]] std::vector<std::byte> to_bytes(const TensorDesc& desc, const Floats& values);

/// random_values() for every input of the graph, for n pictures.
[[nodiscard]] NamedFloats random_inputs(const Graph& graph, std::int64_t n, std::uint64_t seed);

/// What n pictures gave, by name; `bytes` in the order of ExecutionPlan::outputs. Integers become
/// floats.
[[nodiscard]] NamedFloats named_outputs(const ExecutionPlan& plan,
                                        std::int64_t n,
                                        std::span<const std::span<const std::byte>> bytes);

/// Runs n pictures in a fresh context; the outputs' integers become floats.
[[nodiscard]] NamedFloats run_plan(const std::shared_ptr<const ExecutionPlan>& plan,
                                   std::int64_t n,
                                   const NamedFloats& inputs);

/// Compiles for a batch of n (one bucket) and runs.
[[nodiscard]] NamedFloats run_graph(const Graph& graph,
                                    std::shared_ptr<const Backend> backend,
                                    std::int64_t n,
                                    const NamedFloats& inputs);

}  // namespace fovea::test
