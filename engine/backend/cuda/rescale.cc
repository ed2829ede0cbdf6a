// One affine function of every element.
#include "kernels/rescale.h"

#include "engine/backend/cuda/lowerings.h"
#include "engine/backend/cuda/pixel_tactic.h"

namespace fovea::cuda {

std::vector<Tactic> lower_rescale(const OpSite& site) {
  const auto& op = *site.node.as<Rescale>();
  const TensorDesc& x = site.input(0);
  if (!elements_fit_int(x)) return {};
  if (!fits_float(op.scale) || !fits_float(op.offset)) return {};

  const kernels::RescaleArgs fixed{.pixels = pixels_of(x),
                                   .channels = static_cast<int>(channels_of(x)),
                                   .scale = static_cast<float>(op.scale),
                                   .offset = static_cast<float>(op.offset)};
  Tactic tactic = pixel_tactic(site, "rescale", fixed, kernels::rescale);
  // The compiler gives aliases to dense tensors alone, which have equal strides.
  tactic.aliases = {{.input = 0, .output = 0}};
  return {tactic};
}

}  // namespace fovea::cuda
