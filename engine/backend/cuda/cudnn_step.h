// The step that executes a plan.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/cudnn_saved.h"

namespace fovea::cuda {

/// A plan with its parameters, and where its tensors are in StepArgs.
struct CudnnStepParts {
  std::shared_ptr<const CudnnLibrary> library;
  std::shared_ptr<const CudnnPlan> plan;
  CudnnConvolution convolution;  ///< that the plan computes
  std::shared_ptr<const std::byte> weights;
  std::shared_ptr<const std::byte> bias;  ///< null: none

  /// Where the plan writes a dense tensor to the workspace and it is copied from there.
  struct Copy {
    std::size_t workspace_offset = 0;  ///< bytes
    std::int64_t pixel_stride = 0;     ///< elements, of the output
  };

  std::optional<Copy> copy;
  CudnnKept kept;
};

/// The handle of each stream is made at the first bind() there.
[[nodiscard]] std::unique_ptr<Step> make_cudnn_step(CudnnStepParts parts);

/// Executes on the stream what make_variant_pack() has bound. Throws CudnnError.
void execute(const std::shared_ptr<const CudnnLibrary>& library,
             const CudnnPlan& plan,
             const Descriptor& pack,
             Stream& stream);

}  // namespace fovea::cuda
