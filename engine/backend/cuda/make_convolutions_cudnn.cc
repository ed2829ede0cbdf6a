#include "engine/backend/cuda/cudnn_convolutions.h"
#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/make_convolutions.h"
#include "engine/backend/cuda/no_convolutions.h"

namespace fovea::cuda {

std::unique_ptr<ConvolutionLibrary> make_convolutions() {
  std::shared_ptr<const CudnnLibrary> library;
  try {
    library = load_cudnn();
  } catch (const Unsupported& error) {
    return std::make_unique<NoConvolutions>(error.what());
  }
  return make_cudnn_convolutions(
      std::move(library),
      {.properties = {}, .enter_thread = [device = current_device()] { use_device(device); }});
}

}  // namespace fovea::cuda
