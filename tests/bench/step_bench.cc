// What each step of a network's plan takes on the CPU, and which part of the machine's peak it
// reaches.
//
//   step_bench MODEL BATCH THREADS SECONDS [bf16] [fast] [direct]
//
// A Markdown row per step, in order. Weights are random. `bf16` computes in that type, `fast` times
// tactics first, `direct` leaves Winograd's algorithm out. Multiply-adds are those of the
// operators' definitions: Winograd's does fewer, so that its rate can be above the peak. Bytes are
// those that must be moved at least (plan_cost.h).
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <numeric>
#include <span>
#include <string_view>

#include <fovea/model.h>

#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/backend/cpu/cpu_backend.h"
#include "engine/plan/plan_cost.h"
#include "engine/runtime/step_times.h"

namespace fovea {
namespace {

double megabytes(std::size_t bytes) {
  return 1e-6 * static_cast<double>(bytes);
}

void print_row(const char* name,
               const char* tactic,
               const char* output,
               double us,
               double share,
               const Cost& cost) {
  std::printf("| %s | %s | %s | %.1f | %.2f | %.1f | %.3f | %.3f |\n",
              name,
              tactic,
              output,
              us,
              100 * share,
              1e-3 * static_cast<double>(cost.flops) / us,
              megabytes(cost.read_bytes + cost.written_bytes),
              megabytes(cost.weight_bytes));
}

int print_steps(const char* name, const PlanOptions& options, double seconds) {
  const Model model = open_model(name, {.weights = "random:1"});
  const auto plan =
      compile_plan(ModelGraphAccess::graph(model.graph()), make_cpu_backend(), options);
  const BucketPlan& bucket = plan->buckets.front();
  const std::vector<Cost> costs = step_costs(*plan, bucket);
  const std::vector<double> times = step_microseconds(plan, bucket, seconds);
  const double sum = std::accumulate(times.begin(), times.end(), 0.0);
  std::puts("| step | tactic | output | us | share, % | GFLOP/s | activations, MB | weights, MB |");
  std::puts("|---|---|---|---|---|---|---|---|");
  for (std::size_t s = 0; s < bucket.steps.size(); ++s) {
    const PlannedStep& step = bucket.steps[s];
    print_row(step.name.c_str(),
              step.tactic.c_str(),
              to_string(bucket.slots[step.outputs[0]].desc).c_str(),
              times[s],
              times[s] / sum,
              costs[s]);
  }
  print_row("all", "", "", sum, 1, total(costs));
  return 0;
}

/// Throws InvalidArgument for a word that is none of ours.
PlanOptions options_of(std::span<char*> words) {
  PlanOptions options{.buckets = {std::atoll(words[0])}, .threads = std::atoi(words[1])};
  for (const std::string_view word : words.subspan(3)) {
    if (word == "direct") {
      options.exact_convolutions = true;
    } else if (word == "fast") {
      options.tactics.tuning = Tuning::kFast;
    } else {
      options.precision = parse_precision(word);
    }
  }
  return options;
}

}  // namespace
}  // namespace fovea

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "step_bench MODEL BATCH THREADS SECONDS [bf16] [fast] [direct]\n");
    return 2;
  }
  try {
    const std::span words(argv + 2, static_cast<std::size_t>(argc - 2));
    return fovea::print_steps(argv[1], fovea::options_of(words), std::atof(words[2]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "step_bench: %s\n", error.what());
    return 1;
  }
}
