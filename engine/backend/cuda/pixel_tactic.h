// Tactics of operators with one input, whose kernel takes pixels that lie apart on both sides.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "engine/backend/cuda/kernel_step.h"

namespace fovea::cuda {

/// A tactic that reads and writes slices. `fixed` has everything but the type, the addresses and
/// the strides of x and y; `launch` is the kernel's launcher.
template <typename Args>
[[nodiscard]] Tactic pixel_tactic(const OpSite& site,
                                  std::string name,
                                  const Args& fixed,
                                  cudaError_t (*launch)(const Args& args, cudaStream_t stream)) {
  const auto make =
      [=, x = site.input(0), y = site.node.outputs[0]](const BuildArgs& args) -> Launch {
    Args strided = fixed;
    strided.type = element_type(x.dtype);
    strided.x_stride = pixel_stride(x, args.inputs[0]);
    strided.y_stride = pixel_stride(y, args.outputs[0]);
    return [strided, launch](const Operands& operands, cudaStream_t stream) {
      Args placed = strided;
      placed.x = operands.inputs[0];
      placed.y = operands.outputs[0];
      return launch(placed, stream);
    };
  };
  Tactic tactic = kernel_tactic(site, std::move(name), make);
  tactic.inputs[0] = strided_or_dense(site.inputs[0]);
  tactic.writes_slices = true;
  return tactic;
}

/// Whether a kernel can have the parameter as its float: not infinite, as what is multiplied with
/// it may be zero.
[[nodiscard]] inline bool fits_float(double parameter) {
  return std::abs(parameter) <= static_cast<double>(std::numeric_limits<float>::max());
}

}  // namespace fovea::cuda
