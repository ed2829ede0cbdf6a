// What the compiler makes of the zoo: the tables of docs/compiler.md, as Markdown on stdout.
//
// plan_table [BATCH]      (default 1)
//
// Every network is compiled with the head and the tail that a classifier gives it. Nothing is run:
// all figures follow from shapes and from the steps that the backends choose without tuning.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <fovea/model.h>

#include "engine/api/classify_graph.h"
#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/backend/cpu/cpu_backend.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/graph/layers.h"
#include "engine/plan/plan_cost.h"
#include "models/builders/zoo.h"
#include "tests/support/unbuilt_backend.h"

namespace fovea {
namespace {

constexpr double kMega = 1e6;
constexpr double kGiga = 1e9;

double moved(const Cost& cost) {
  return static_cast<double>(cost.read_bytes + cost.written_bytes + cost.weight_bytes) / kMega;
}

std::size_t operators(const Graph& graph) {
  std::size_t count = 0;
  for (const Node& node : graph.nodes()) {
    if (node.as<Constant>() == nullptr && node.as<Input>() == nullptr) ++count;
  }
  return count;
}

/// Steps that no node asked for: changes of layout, and copies into a concatenation.
std::size_t copies(const BucketPlan& bucket) {
  return static_cast<std::size_t>(std::ranges::count(bucket.steps, kNoNode, &PlannedStep::node));
}

std::size_t count_ops(const ExecutionPlan& plan, std::string_view op) {
  const auto nodes = plan.graph.nodes();
  return static_cast<std::size_t>(
      std::ranges::count_if(nodes, [op](const Node& node) { return op_name(node.op) == op; }));
}

void print_row(const Model& model, std::shared_ptr<const Backend> backend, std::int64_t batch) {
  const Graph& network = ModelGraphAccess::graph(model.graph());
  const Graph served = served_graph(model);
  const auto plan = compile_plan(served, std::move(backend), {.buckets = {batch}, .threads = 2});
  const BucketPlan& bucket = plan->buckets.front();
  const Cost before = total(node_costs(with_batch(served, batch)));
  const Cost after = total(step_costs(*plan, bucket));
  std::printf("| %s | %zu | %zu | %zu | %zu | %zu | %.2f | %.2f | %.1f | %.1f | %.2f | %.3f |\n",
              model.name().c_str(),
              layers(network).size(),
              operators(served),
              bucket.steps.size(),
              after.launches,
              copies(bucket),
              static_cast<double>(before.flops) / kGiga,
              static_cast<double>(after.flops) / kGiga,
              moved(before),
              moved(after),
              static_cast<double>(bucket.arena_bytes) / kMega,
              static_cast<double>(bucket.arena_bytes) / static_cast<double>(bucket.lower_bound));
  for (const char* op : {"BatchNorm", "Relu", "Concat", "Pad"}) {
    if (const std::size_t left = count_ops(*plan, op); left != 0) {
      std::fprintf(stderr, "%s: %zu %s left\n", model.name().c_str(), left, op);
    }
  }
}

int print_tables(std::int64_t batch) {
  struct Target {
    const char* title;
    std::unique_ptr<Backend> (*make)();
  };

  constexpr std::array<Target, 2> kTargets{
      {{"cpu", make_cpu_backend}, {"cuda (rules of the emulated device)", make_cuda_emu_backend}}};
  for (const Target& target : kTargets) {
    std::printf("\n### %s, batch %lld\n\n", target.title, static_cast<long long>(batch));
    std::puts(
        "| network | layers | operators | steps | launches | copies | GFLOP before | after | MB "
        "moved before | after "
        "| arena MB | of its bound |");
    std::puts("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (const zoo::Model& entry : zoo::models()) {
      const Model model = open_model(entry.name, {.weights = "random"});
      print_row(model, test::make_unbuilt_backend(target.make()), batch);
    }
  }
  return 0;
}

}  // namespace
}  // namespace fovea

int main(int argc, char** argv) {
  return fovea::print_tables(argc > 1 ? std::atoll(argv[1]) : 1);
}
