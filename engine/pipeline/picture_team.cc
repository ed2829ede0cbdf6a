#include "engine/pipeline/picture_team.h"

#include <algorithm>

#include "engine/core/require.h"
#include "engine/runtime/device_memory.h"
#include "engine/runtime/pipelined_context.h"

namespace fovea {

PictureTeam::PictureTeam(std::span<const std::shared_ptr<const ExecutionPlan>> plans,
                         const PreprocessSpec& spec,
                         std::span<const Label> labels,
                         std::size_t threads) {
  if (plans.front()->backend->on_host()) {
    require(plans.size() == 1, "the host is one device");
    for (std::size_t i = 0; i < threads; ++i) {
      workers_.push_back(make_picture_worker(plans.front(), spec, labels));
    }
    device_bytes_ = threads * fovea::device_bytes(*plans.front(), 0);
    return;
  }
  const std::size_t loading = (threads + plans.size() - 1) / plans.size();
  const std::size_t slots = std::max(loading + 1, PipelinedContext::kSlots);
  std::vector<std::shared_ptr<PipelinedContext>> contexts;
  for (const auto& plan : plans) {
    contexts.push_back(std::make_shared<PipelinedContext>(plan, slots));
    device_bytes_ += fovea::device_bytes(*plan, slots);
  }
  // By turns, so that those who begin have all devices.
  for (std::size_t i = 0; i < slots; ++i) {
    for (const auto& context : contexts) {
      workers_.push_back(make_picture_worker(context, spec, labels));
    }
  }
}

StageTimes PictureTeam::times() const {
  StageTimes sum;
  for (const auto& worker : workers_) sum += worker->times();
  return sum;
}

}  // namespace fovea
