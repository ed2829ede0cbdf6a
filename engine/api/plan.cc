// The public plans and contexts over the internal ones.
#include <string>

#include <fovea/context.h>
#include <fovea/plan.h>

#include "engine/plan/execution_plan.h"
#include "engine/plan/plan_floor.h"
#include "engine/runtime/execution_context.h"

namespace fovea {

std::string Plan::backend() const {
  return std::string(plan_->backend->name());
}

bool Plan::on_host() const {
  return plan_->backend->on_host();
}

std::span<const TensorInfo> Plan::inputs() const {
  return plan_->inputs;
}

std::span<const TensorInfo> Plan::outputs() const {
  return plan_->outputs;
}

std::int64_t Plan::largest_batch() const {
  return plan_->buckets.back().batch;
}

std::size_t Plan::weight_bytes() const {
  return plan_->weight_bytes;
}

std::string Plan::summary() const {
  return to_string(*plan_);
}

std::optional<PlanFloor> Plan::floor(std::int64_t batch) const {
  return plan_floor(*plan_, plan_->bucket_for(batch));
}

std::span<const std::string> Plan::notices() const {
  return plan_->tactics.notices;
}

Context::Context(const std::shared_ptr<const Plan>& plan)
    : impl_(std::make_unique<ExecutionContext>(plan->impl())) {}

Context::~Context() = default;
Context::Context(Context&&) noexcept = default;
Context& Context::operator=(Context&&) noexcept = default;

void Context::run(std::int64_t n,
                  std::span<const std::span<const std::byte>> inputs,
                  std::span<const std::span<std::byte>> outputs,
                  StageTimes* times) {
  impl_->run(n, inputs, outputs, times);
}

std::size_t Context::arena_bytes() const {
  return impl_->arena_bytes();
}

}  // namespace fovea
