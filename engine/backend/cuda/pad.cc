// Explicit borders.
#include "kernels/pad.h"

#include "engine/backend/cuda/lowerings.h"
#include "engine/backend/cuda/pixel_tactic.h"

namespace fovea::cuda {

std::vector<Tactic> lower_pad(const OpSite& site) {
  const auto& op = *site.node.as<Pad>();
  const Shape& x = site.input(0).shape;
  const Shape& y = site.node.outputs[0].shape;
  if (!fits_int({site.input(0).dtype, {num_elements(y)}})) return {};

  const auto size = [](std::int64_t dim) { return static_cast<int>(dim); };
  const kernels::PadArgs fixed{.n = size(x[0]),
                               .h = size(x[1]),
                               .w = size(x[2]),
                               .c = size(x[3]),
                               .out_h = size(y[1]),
                               .out_w = size(y[2]),
                               .pad_top = size(op.pads[0]),
                               .pad_left = size(op.pads[1]),
                               .value = op.value};
  return {pixel_tactic(site, "pad", fixed, kernels::pad)};
}

}  // namespace fovea::cuda
