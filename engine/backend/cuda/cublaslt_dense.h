// Dense layers by cuBLASLt.
#pragma once

#include <memory>

#include "engine/backend/cuda/cublaslt_library.h"
#include "engine/backend/cuda/dense_library.h"

namespace fovea::cuda {

/// On the device that is current in the thread that first asks for tactics. The tactics of a site
/// are the algorithms that the heuristics propose for it, "cublaslt:alg66:tile20:stages35". Bias
/// and weights are packed in the type of the activations.
///
/// A result that becomes a slice is computed by the same algorithm if that takes it, else by the
/// one that the heuristics would take first.
///
/// Offered are layers with Constants as parameters and no activation but Relu. tactics() throws
/// CublasLtError where cuBLASLt fails otherwise than by having no algorithm.
[[nodiscard]] std::unique_ptr<DenseLibrary> make_cublaslt_dense(
    std::shared_ptr<const CublasLtLibrary> library);

/// For looking at plans where there is no device: the one tactic "cublaslt:best-1", the algorithm
/// that the heuristics there put first, for the same layers. Building it throws DeviceError
/// (device/none).
[[nodiscard]] std::unique_ptr<DenseLibrary> make_cublaslt_shapes(
    std::shared_ptr<const CublasLtLibrary> library);

}  // namespace fovea::cuda
