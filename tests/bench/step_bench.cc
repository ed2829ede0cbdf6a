// What each step of a network's plan takes on the CPU, and which part of the machine's peak it
// reaches.
//
//   step_bench MODEL BATCH THREADS SECONDS [direct]
//
// A Markdown row per step, in order. Weights are random. `direct` leaves Winograd's algorithm out.
// Multiply-adds are those of the operators' definitions: Winograd's does fewer, so that its rate
// can be above the peak.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <numeric>
#include <string_view>

#include <fovea/model.h>

#include "engine/api/model_graph.h"
#include "engine/api/model_impl.h"
#include "engine/backend/cpu/cpu_backend.h"
#include "engine/plan/plan_cost.h"
#include "engine/runtime/step_times.h"

namespace fovea {
namespace {

int print_steps(
    const char* name, std::int64_t batch, int threads, double seconds, bool direct_only) {
  const Model model = open_model(name, {.weights = "random:1"});
  const auto plan =
      compile_plan(ModelGraphAccess::graph(model.graph()),
                   make_cpu_backend(),
                   {.buckets = {batch}, .threads = threads, .exact_convolutions = direct_only});
  const BucketPlan& bucket = plan->buckets.front();
  const std::vector<Cost> costs = step_costs(*plan, bucket);
  const std::vector<double> times = step_microseconds(plan, bucket, seconds);
  const double sum = std::accumulate(times.begin(), times.end(), 0.0);
  std::puts("| step | tactic | output | us | share of the time, % | GFLOP/s |");
  std::puts("|---|---|---|---|---|---|");
  for (std::size_t s = 0; s < bucket.steps.size(); ++s) {
    const PlannedStep& step = bucket.steps[s];
    std::printf("| %s | %s | %s | %.1f | %.2f | %.1f |\n",
                step.name.c_str(),
                step.tactic.c_str(),
                to_string(bucket.slots[step.outputs[0]].desc).c_str(),
                times[s],
                100 * times[s] / sum,
                1e-3 * static_cast<double>(costs[s].flops) / times[s]);
  }
  std::printf("| all | | | %.1f | 100 | %.1f |\n",
              sum,
              1e-3 * static_cast<double>(total(costs).flops) / sum);
  return 0;
}

}  // namespace
}  // namespace fovea

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "step_bench MODEL BATCH THREADS SECONDS [direct]\n");
    return 2;
  }
  try {
    return fovea::print_steps(argv[1],
                              std::atoll(argv[2]),
                              std::atoi(argv[3]),
                              std::atof(argv[4]),
                              argc > 5 && std::string_view(argv[5]) == "direct");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "step_bench: %s\n", error.what());
    return 1;
  }
}
