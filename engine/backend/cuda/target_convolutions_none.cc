#include "engine/backend/cuda/make_convolutions.h"
#include "engine/backend/cuda/no_convolutions.h"

namespace fovea::cuda {

std::unique_ptr<ConvolutionLibrary> make_target_convolutions() {
  return std::make_unique<NoConvolutions>("this build has no cuDNN; build with cudnn.h installed");
}

}  // namespace fovea::cuda
