// An engine's plan for a convolution: what is executed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "engine/backend/cuda/cudnn_candidates.h"

namespace fovea::cuda {

/// A finalized plan with everything that it refers to. Immutable: threads may execute it at once,
/// each with a handle of its own.
class CudnnPlan {
 public:
  /// From the operation. Takes a second or more where the engine compiles its kernel.
  /// Throws CudnnError where the engine refuses.
  CudnnPlan(std::shared_ptr<const CudnnLibrary> library,
            const CudnnConvolution& convolution,
            const CudnnEngine& engine,
            const CudnnTarget& target);

  /// From what json() gave. Throws CudnnError where this cuDNN or the target's device is not the
  /// one that it was made for.
  CudnnPlan(std::shared_ptr<const CudnnLibrary> library,
            std::string_view json,
            const CudnnTarget& target);

  [[nodiscard]] const Descriptor& descriptor() const { return plan_; }

  [[nodiscard]] std::size_t workspace_bytes() const { return workspace_bytes_; }

  /// The plan as text, for the same version of cuDNN and the same kind of device. Throws
  /// CudnnError.
  [[nodiscard]] std::string json() const;

 private:
  struct Source {
    CudnnGraph graph;
    CudnnConfig config;
  };

  void finish(const CudnnTarget& target);

  std::shared_ptr<const CudnnLibrary> library_;
  std::unique_ptr<const Source> source_;  ///< null: of a plan that came as JSON
  Descriptor plan_;
  std::size_t workspace_bytes_ = 0;
};

/// What a plan reads and writes, for one set of addresses.
///
/// addresses   of tensors_of(convolution), in that order
/// workspace   of at least workspace_bytes(), aligned to 16; null where that is 0
[[nodiscard]] Descriptor make_variant_pack(const CudnnLibrary& library,
                                           std::span<const CudnnTensor> tensors,
                                           std::span<void* const> addresses,
                                           std::byte* workspace);

}  // namespace fovea::cuda
