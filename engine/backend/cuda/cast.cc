// Between the float types.
#include "kernels/cast.h"

#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"

namespace fovea::cuda {

std::vector<Tactic> lower_cast(const OpSite& site) {
  const TensorDesc& x = site.input(0);
  const TensorDesc& y = site.node.outputs[0];
  if (!is_element_type(x.dtype) || !is_element_type(y.dtype)) return {};
  if (!elements_fit_int(x)) return {};

  const auto make = [=](const BuildArgs& args) -> Launch {
    const kernels::CastArgs fixed{.from = element_type(x.dtype),
                                  .to = element_type(y.dtype),
                                  .x_stride = pixel_stride(x, args.inputs[0]),
                                  .y_stride = pixel_stride(y, args.outputs[0]),
                                  .pixels = pixels_of(x),
                                  .channels = channels_of(x)};
    return [fixed](const Operands& operands, cudaStream_t stream) {
      kernels::CastArgs cast = fixed;
      cast.x = operands.inputs[0];
      cast.y = operands.outputs[0];
      return kernels::cast(cast, stream);
    };
  };
  Tactic tactic = kernel_tactic(site, "cast", make);
  tactic.inputs[0] = strided_or_dense(site.inputs[0]);
  tactic.writes_slices = true;
  return {tactic};
}

}  // namespace fovea::cuda
