// The operation graph of a convolution.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend/cuda/cudnn_convolution.h"
#include "engine/backend/cuda/cudnn_descriptor.h"

namespace fovea::cuda {

/// By these a plan knows its tensors when it is executed.
enum class CudnnTensor : std::uint8_t { kX = 1, kWeights, kBias, kResidual, kY };

/// The tensors in memory of the convolution's graph, in ascending order.
[[nodiscard]] std::vector<CudnnTensor> tensors_of(const CudnnConvolution& convolution);

/// A finalized operation graph with everything that it refers to.
struct CudnnGraph {
  std::vector<Descriptor> parts;
  std::vector<Descriptor> operations;
  Descriptor descriptor;

  /// How many engines may be for it, on whatever device: their indices are below that.
  [[nodiscard]] std::int64_t engine_count() const {
    return descriptor.get<std::int64_t>(CUDNN_ATTR_OPERATIONGRAPH_ENGINE_GLOBAL_COUNT);
  }
};

/// conv, then + residual, then + bias, then the activation: the order that cuDNN has the most
/// engines for. What lies between them is float32 and in no memory.
///
/// handle   of the device that engines are asked for; null for a device that is not here
///
/// Throws CudnnError where cuDNN does not take the graph.
[[nodiscard]] CudnnGraph make_graph(const CudnnLibrary& library,
                                    const CudnnConvolution& convolution,
                                    cudnnHandle_t handle);

}  // namespace fovea::cuda
