// The convolution library of a device. CMake chooses one of two files that define it.
#pragma once

#include <memory>

#include "engine/backend/cuda/convolution_library.h"

namespace fovea::cuda {

/// cuDNN for the calling thread's current device; one that has no tactics and says why where cuDNN
/// cannot be loaded, or where the project was built without its headers. Throws CudnnError.
[[nodiscard]] std::unique_ptr<ConvolutionLibrary> make_convolutions();

}  // namespace fovea::cuda
