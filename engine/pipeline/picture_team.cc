#include "engine/pipeline/picture_team.h"

#include <algorithm>

#include "engine/runtime/device_memory.h"
#include "engine/runtime/pipelined_context.h"

namespace fovea {

PictureTeam::PictureTeam(const std::shared_ptr<const ExecutionPlan>& plan,
                         const PreprocessSpec& spec,
                         std::span<const Label> labels,
                         std::size_t threads) {
  if (plan->backend->on_host()) {
    for (std::size_t i = 0; i < threads; ++i) {
      workers_.push_back(make_picture_worker(plan, spec, labels));
    }
    device_bytes_ = threads * fovea::device_bytes(*plan, 0);
    return;
  }
  const std::size_t slots = std::max(threads + 1, PipelinedContext::kSlots);
  const auto context = std::make_shared<PipelinedContext>(plan, slots);
  for (std::size_t i = 0; i < slots; ++i) {
    workers_.push_back(make_picture_worker(context, spec, labels));
  }
  device_bytes_ = fovea::device_bytes(*plan, slots);
}

StageTimes PictureTeam::times() const {
  StageTimes sum;
  for (const auto& worker : workers_) sum += worker->times();
  return sum;
}

}  // namespace fovea
