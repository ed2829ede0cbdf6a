// cuDNN itself, for tests of what it says without a device.
#pragma once

#include <memory>
#include <string>

#include "engine/backend/cuda/cudnn_library.h"

namespace fovea::test {

/// Loads cuDNN, from the toolkit's folder where FOVEA_CUDNN_DIR does not say otherwise. Where there
/// is no driver, the toolkit's stub stands for it: cuDNN wants to load one, and calls nothing in it
/// as long as no device is used. Null where cuDNN cannot be loaded; then `why` says why.
[[nodiscard]] std::shared_ptr<const cuda::CudnnLibrary> real_cudnn(std::string& why);

/// Properties of an H100 SXM, as cuDNN wrote them on one: enough for heuristics, support checks and
/// plans, not for times.
[[nodiscard]] std::string sm_90_properties();

}  // namespace fovea::test
