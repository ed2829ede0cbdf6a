#include "engine/runtime/step_times.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/graph/random_inputs.h"
#include "engine/runtime/plan_trace.h"

namespace fovea {

std::vector<double> step_microseconds(const std::shared_ptr<const ExecutionPlan>& plan,
                                      const BucketPlan& bucket,
                                      double seconds) {
  constexpr std::size_t kLeastRuns = 3;
  PlanTrace trace(plan, bucket);
  const auto inputs = random_inputs(with_batch(plan->graph, bucket.batch), /*seed=*/1);
  std::vector<double> least(bucket.steps.size(), std::numeric_limits<double>::infinity());
  trace.upload(inputs);
  trace.run([](std::size_t, float) {});  // the first run warms caches and maps memory
  const auto start = std::chrono::steady_clock::now();
  const auto spent = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  for (std::size_t run = 0; run < kLeastRuns || spent() < seconds; ++run) {
    trace.upload(inputs);
    trace.run([&](std::size_t step, float ms) {
      least[step] = std::min(least[step], 1e3 * static_cast<double>(ms));
    });
  }
  return least;
}

}  // namespace fovea
