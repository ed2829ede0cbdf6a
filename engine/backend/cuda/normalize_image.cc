// Bytes of pictures to the network's input.
#include <limits>

#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "kernels/normalize.h"

namespace fovea::cuda {

std::vector<Tactic> lower_normalize_image(const OpSite& site) {
  const auto& constants = site.node.as<NormalizeImage>()->constants;
  const TensorDesc& x = site.input(0);
  const TensorDesc& y = site.node.outputs[0];
  if (!fits_int(y) || !fits_int({x.dtype, {pixels_of(x)}})) return {};

  const kernels::NormalizeArgs fixed{.type = element_type(y.dtype),
                                     .pixels = pixels_of(x),
                                     .channels = static_cast<int>(channels_of(x)),
                                     .out_channels = static_cast<int>(channels_of(y)),
                                     .swap_red_blue = constants.swap_red_blue,
                                     .divisor = constants.divisor,
                                     .mean = constants.mean,
                                     .scale = constants.scale};
  const auto make = [fixed](const BuildArgs&) -> Launch {
    return [=](const Operands& operands, cudaStream_t stream) {
      kernels::NormalizeArgs normalize = fixed;
      normalize.x = reinterpret_cast<const std::uint8_t*>(operands.inputs[0]);
      normalize.y = operands.outputs[0];
      return kernels::normalize(normalize, stream);
    };
  };
  return {kernel_tactic(site, "normalize", make)};
}

}  // namespace fovea::cuda
