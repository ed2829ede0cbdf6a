#include "engine/backend/cuda/cudnn_convolutions.h"
#include "engine/backend/cuda/make_convolutions.h"
#include "engine/backend/cuda/no_convolutions.h"

namespace fovea::cuda {

std::unique_ptr<ConvolutionLibrary> make_target_convolutions() {
  try {
    return make_cudnn_graphs(load_cudnn());
  } catch (const Unsupported& error) {
    return std::make_unique<NoConvolutions>(error.what());
  }
}

}  // namespace fovea::cuda
