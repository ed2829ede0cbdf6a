// Local response normalisation.
#include "kernels/lrn.h"

#include "engine/backend/cuda/lowerings.h"
#include "engine/backend/cuda/pixel_tactic.h"

namespace fovea::cuda {

std::vector<Tactic> lower_lrn(const OpSite& site) {
  const auto& op = *site.node.as<Lrn>();
  const TensorDesc& x = site.input(0);
  const double scale = op.alpha / static_cast<double>(op.size);
  if (!fits_int({x.dtype, {op.size, num_elements(x.shape)}})) return {};
  if (!fits_float(scale) || !fits_float(op.beta) || !fits_float(op.bias)) return {};
  const auto bias = static_cast<float>(op.bias);
  if (bias == 0.0F) return {};  // rounded to it, and so a divisor for black pixels

  const kernels::LrnArgs fixed{.pixels = pixels_of(x),
                               .channels = static_cast<int>(channels_of(x)),
                               .before = static_cast<int>((op.size - 1) / 2),
                               .after = static_cast<int>(op.size / 2),
                               .scale = static_cast<float>(scale),
                               .beta = static_cast<float>(op.beta),
                               .bias = bias};
  return {pixel_tactic(site, "lrn", fixed, kernels::lrn)};
}

}  // namespace fovea::cuda
