#include <algorithm>
#include <chrono>
#include <span>
#include <stdexcept>

#include "engine/plan/plan_floor.h"
#include "engine/runtime/execution_context.h"
#include "tests/gpu/networks.h"
#include "tests/gpu/oracles.h"
#include "tests/gpu/parts.h"

namespace fovea::selftest {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUps = 3;
constexpr std::size_t kLeastRuns = 5;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double floor_us(const ExecutionPlan& plan) {
  const auto floor = plan_floor(plan, plan.buckets.back());
  return floor ? floor->us : 0;
}

void run(BenchResult& result,
         Precision precision,
         const std::shared_ptr<const Backend>& backend,
         const TacticOptions& tactics,
         double seconds) {
  const std::vector<float> want = oracle_logits(result.network);
  if (want.empty()) throw std::runtime_error("the program has no oracle for it");
  const Graph network = make_network(result.network);
  const auto start = Clock::now();
  const auto plan = compile_plan(
      network, backend, {.buckets = {result.batch}, .precision = precision, .tactics = tactics});
  result.compile_s = std::chrono::duration<double>(Clock::now() - start).count();
  result.tactics = plan->tactics;
  ExecutionContext context(plan);
  result.launches = total(step_costs(*plan, plan->buckets.back())).launches;
  result.device_bytes = plan->weight_bytes + context.arena_bytes();
  result.floor_us = floor_us(*plan);

  const TensorBytes pictures = formula_pictures(network, result.batch);
  std::vector<float> logits(want.size() / kPictures * static_cast<std::size_t>(result.batch));
  const std::span<const std::byte> input(pictures);
  const std::span<std::byte> output = std::as_writable_bytes(std::span(logits));
  std::vector<double> device_us;
  std::vector<double> host_us;
  const auto once = [&] {
    StageTimes times;
    const auto begin = Clock::now();
    context.run(result.batch, {&input, 1}, {&output, 1}, &times);
    host_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    device_us.push_back(1e6 * times.compute_s);
  };
  for (int i = 0; i < kWarmUps; ++i) once();
  device_us.clear();
  host_us.clear();
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (device_us.size() < kLeastRuns || Clock::now() < end) once();
  result.median_us = median(device_us);
  result.best_us = std::ranges::min(device_us);
  result.host_us = median(host_us);
  // A batch has its own plan, and a wrong one may be the fastest.
  const LogitsError error = result.logits.emplace(compare_logits(logits, want));
  result.error = judgement(error, precision);
}

}  // namespace

BenchResult bench_network(std::string_view network,
                          Precision precision,
                          std::int64_t batch,
                          const std::shared_ptr<const Backend>& backend,
                          const TacticOptions& tactics,
                          double seconds) {
  BenchResult result;
  result.network = network;
  result.precision = to_string(precision);
  result.batch = batch;
  try {
    run(result, precision, backend, tactics, seconds);
  } catch (const std::exception& error) {
    result.error = error.what();
  }
  return result;
}

}  // namespace fovea::selftest
