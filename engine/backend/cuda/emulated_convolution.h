// Convolutions of the emulated device.
#pragma once

#include <memory>

#include "engine/backend/cuda/convolution_library.h"

namespace fovea::cuda {

/// Evaluates Conv2d by its own definition, as a host function in the stream. It keeps to what cuDNN
/// can be asked for: slices as input, residual and output, and a residual that the output replaces.
[[nodiscard]] std::unique_ptr<ConvolutionLibrary> make_emulated_convolutions();

}  // namespace fovea::cuda
