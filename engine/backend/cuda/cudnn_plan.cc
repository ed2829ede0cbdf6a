#include "engine/backend/cuda/cudnn_plan.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace fovea::cuda {

void CudnnPlan::finish(const CudnnTarget& target) {
  if (target.handle != nullptr) plan_.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target.handle);
  if (target.properties != nullptr) {
    plan_.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *target.properties);
  }
  plan_.finalize("building a plan");
  const auto bytes = plan_.get<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  workspace_bytes_ = static_cast<std::size_t>(std::max(bytes, std::int64_t{0}));
}

CudnnPlan::CudnnPlan(std::shared_ptr<const CudnnLibrary> library,
                     const CudnnConvolution& convolution,
                     const CudnnEngine& engine,
                     const CudnnTarget& target)
    : library_(std::move(library)),
      source_([&] {
        CudnnGraph graph = make_graph(*library_, convolution, target.handle);
        CudnnConfig config = make_config(*library_, graph, engine, target);
        return std::make_unique<const Source>(Source{std::move(graph), std::move(config)});
      }()),
      plan_(*library_, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
  plan_.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, source_->config.descriptor);
  finish(target);
}

CudnnPlan::CudnnPlan(std::shared_ptr<const CudnnLibrary> library,
                     std::string_view json,
                     const CudnnTarget& target)
    : library_(std::move(library)), plan_(*library_, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
  plan_.set_text(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, json);
  finish(target);
}

std::string CudnnPlan::json() const {
  return plan_.get_text(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);
}

Descriptor make_variant_pack(const CudnnLibrary& library,
                             std::span<const CudnnTensor> tensors,
                             std::span<void* const> addresses,
                             std::byte* workspace) {
  std::vector<std::int64_t> ids;
  ids.reserve(tensors.size());
  for (const CudnnTensor tensor : tensors) ids.push_back(static_cast<std::int64_t>(tensor));
  Descriptor pack(library, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set_all(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids)
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
           CUDNN_TYPE_VOID_PTR,
           static_cast<std::int64_t>(addresses.size()),
           static_cast<const void*>(addresses.data()))
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE,
           CUDNN_TYPE_VOID_PTR,
           1,
           static_cast<const void*>(&workspace));
  pack.finalize("binding addresses");
  return pack;
}

}  // namespace fovea::cuda
