// The convolution library of a device. CMake chooses the files that define
// them: with cuDNN or without.
#pragma once

#include <memory>

#include "engine/backend/cuda/convolution_library.h"

namespace fovea::cuda {

/// cuDNN for the calling thread's current device; one that has no tactics and says why where cuDNN
/// cannot be loaded, or where the project was built without its headers. Throws CudnnError.
[[nodiscard]] std::unique_ptr<ConvolutionLibrary> make_convolutions();

/// cuDNN's operation graphs, to look at the plans for a device that is not here:
/// make_cudnn_graphs(). One that has no tactics and says why as above.
[[nodiscard]] std::unique_ptr<ConvolutionLibrary> make_target_convolutions();

}  // namespace fovea::cuda
