// Whether a plan that writes a channel slice leaves the channels beside it alone.
#pragma once

#include "engine/backend/cuda/cudnn_step.h"

namespace fovea::cuda {

/// Executes the plan once, into a buffer of its own that is full of a pattern, and looks at the
/// channels of other slices there: cuDNN's documentation does not say what becomes of them. Waits
/// for the device. Not to be called while a stream is captured.
///
/// convolution   that the plan computes
/// output        where its output lies; a slice
///
/// Throws DeviceError for a failure of the device.
[[nodiscard]] bool keeps_other_channels(const std::shared_ptr<const CudnnLibrary>& library,
                                        const CudnnPlan& plan,
                                        const CudnnConvolution& convolution,
                                        const Layout& output);

}  // namespace fovea::cuda
