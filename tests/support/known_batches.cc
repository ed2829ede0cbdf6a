#include "tests/support/known_batches.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "engine/graph/random_inputs.h"
#include "engine/runtime/execution_context.h"

namespace fovea::test {

std::int64_t KnownBatch::fill(std::span<const std::span<std::byte>> to) const {
  for (std::size_t i = 0; i < inputs.size(); ++i) std::ranges::copy(inputs[i], to[i].begin());
  return n;
}

bool KnownBatch::equals(std::span<const std::span<const std::byte>> got) const {
  return std::ranges::equal(got, outputs, [](const auto& one, const auto& other) {
    return std::ranges::equal(one, other);
  });
}

std::vector<KnownBatch> known_batches(const std::shared_ptr<const ExecutionPlan>& plan,
                                      std::span<const std::int64_t> sizes) {
  ExecutionContext context(plan);
  std::vector<KnownBatch> batches;
  for (const std::int64_t n : sizes) {
    KnownBatch batch{n, fovea::random_inputs(with_batch(plan->graph, n), batches.size() + 1), {}};
    for (const TensorInfo& output : plan->outputs) {
      batch.outputs.emplace_back(byte_size(with_batch(output.desc, n)));
    }
    const std::vector<std::span<const std::byte>> in(batch.inputs.begin(), batch.inputs.end());
    const std::vector<std::span<std::byte>> out(batch.outputs.begin(), batch.outputs.end());
    context.run(n, in, out);
    batches.push_back(std::move(batch));
  }
  return batches;
}

std::size_t wrong_answers(PipelinedContext& context, std::span<const KnownBatch> batches) {
  std::size_t wrong = 0;
  std::deque<std::pair<PipelinedContext::Batch, const KnownBatch*>> in_flight;
  const auto collect_oldest = [&] {
    auto& [batch, known] = in_flight.front();
    wrong += known->equals(batch.collect()) ? 0 : 1;
    in_flight.pop_front();
  };
  for (const KnownBatch& known : batches) {
    if (in_flight.size() == context.slots()) collect_oldest();
    in_flight.emplace_back(context.submit([&](auto to) { return known.fill(to); }), &known);
  }
  while (!in_flight.empty()) collect_oldest();
  return wrong;
}

}  // namespace fovea::test
