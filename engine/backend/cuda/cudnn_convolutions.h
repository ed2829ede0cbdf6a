// Convolutions by cuDNN.
#pragma once

#include <memory>

#include "engine/backend/cuda/convolution_library.h"
#include "engine/backend/cuda/cudnn_plans.h"

namespace fovea::cuda {

/// On the device that `device` says. The tactics of a site are cuDNN's engines: by heuristics A and
/// B with a bias of the output's type, "cudnn:bo:eng41:k2.3"; the best three with a float32 one,
/// "cudnn:bf:best-1"; then those of the fallback heuristics. Of their plans only as many
/// are built as it takes to find one that is supported; once a second one is wanted, as for
/// measuring, all of the site's are built at once.
///
/// A plan that writes a channel slice is tried first (keeps_other_channels); where it touches other
/// channels, or the engine does not take the strides, it writes to the workspace and the result is
/// copied.
///
/// With properties of a device that is not here, plans are built and cannot be executed: bind()
/// throws DeviceError (device/none). Plans that compile their kernels are not built then, as they
/// end in loading them.
[[nodiscard]] std::unique_ptr<ConvolutionLibrary> make_cudnn_convolutions(
    std::shared_ptr<const CudnnLibrary> library, CudnnDevice device);

/// For looking at plans where nothing is known of a device: one tactic for each type of the bias,
/// "cudnn:z+bo+relu:61-engines", with as many engines as may be for it on some device. Building one
/// throws DeviceError (device/none).
[[nodiscard]] std::unique_ptr<ConvolutionLibrary> make_cudnn_graphs(
    std::shared_ptr<const CudnnLibrary> library);

}  // namespace fovea::cuda
