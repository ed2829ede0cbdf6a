// run() allocates nothing of ours: counts every operator new of the process.
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "engine/backend/cpu/cpu_backend.h"
#include "engine/passes/constants.h"
#include "engine/runtime/execution_context.h"
#include "tests/support/run_plan.h"

namespace {

std::atomic<long> allocations = 0;

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded))
    return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) {
  return counted(bytes, alignof(std::max_align_t));
}

void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}

void operator delete(void* memory) noexcept {
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}

void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}

void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}

void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}

namespace fovea {
namespace {

/// Convolution, pooling and dense run in oneDNN; everything else here is our own code.
Graph network(bool with_onednn) {
  Graph graph;
  Value y;
  if (with_onednn) {
    const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 8, 8, 3}}}, {}, "x");
    const Value w = graph.add(make_constant({16, 3, 3, 3}, test::random_floats(432, 1)), {}, "w");
    // Not a bound, and so none of our own kernels.
    const Activation tanh{.kind = ActivationKind::kTanh};
    y = graph.add(Conv2d{.activation = tanh}, {x, w}, "conv");
    const Value u = graph.add(make_constant({16, 1, 1, 16}, test::random_floats(256, 3)), {}, "u");
    y = graph.add(Conv2d{.activation = tanh}, {y, u}, "conv2");
    y = graph.add(MaxPool{.kernel = {2, 2}, .strides = {2, 2}}, {y}, "max");
    y = graph.add(GlobalPool{}, {y}, "pool");
    const Value v = graph.add(make_constant({9, 16}, test::random_floats(144, 2)), {}, "v");
    y = graph.add(Dense{.activation = tanh}, {y, v}, "dense");
  } else {
    const Value x = graph.add(Input{{DType::kUInt8, {kBatch, 4, 4, 3}}}, {}, "x");
    y = graph.add(NormalizeImage{normalization_constants(Normalization::kTorch)}, {x}, "norm");
    y = graph.add(Relu{}, {y}, "relu");
    y = graph.add(Reshape{{kBatch, 48}}, {y}, "flat");
  }
  y = graph.add(Softmax{}, {y}, "softmax");
  y = graph.add(TopK{5}, {y}, "top");
  graph.mark_output(y, "values");
  graph.mark_output({y.node, 1}, "indices");
  return graph;
}

/// Allocations of one run after a warm-up.
long allocations_of_run(const std::shared_ptr<const ExecutionPlan>& plan) {
  ExecutionContext context(plan);
  std::vector<std::byte> input(byte_size(with_batch(plan->inputs[0].desc, 2)));
  std::vector<std::byte> values(2 * 5 * 4);
  std::vector<std::byte> indices(2 * 5 * 4);
  const std::span<const std::byte> in(input);
  const std::array<std::span<std::byte>, 2> out{values, indices};
  context.run(2, {&in, 1}, out);
  const long before = allocations;
  context.run(2, {&in, 1}, out);
  return allocations - before;
}

TEST(Allocation, OurStepsAllocateNothing) {
  const auto plan =
      compile_plan(network(false), make_cpu_backend(), {.buckets = {4}, .threads = 1});

  EXPECT_EQ(allocations_of_run(plan), 0);
}

TEST(Allocation, OneDnnAllocatesAConstantNumberPerPrimitive) {
  const auto plan = compile_plan(network(true), make_cpu_backend(), {.buckets = {4}, .threads = 1});
  long primitives = 0;
  for (const PlannedStep& step : plan->buckets[0].steps) {
    primitives += step.tactic.starts_with("onednn:") ? 1 : 0;
  }
  ASSERT_GE(primitives, 3);

  const long first = allocations_of_run(plan);
  const long second = allocations_of_run(plan);

  EXPECT_EQ(first, second);
  RecordProperty("allocations_per_primitive", std::to_string(first / primitives));
  EXPECT_LE(first, 12 * primitives);
}

}  // namespace
}  // namespace fovea
