// Add and the activations: one kernel for all of them.
#include "engine/backend/cuda/elementwise.h"

#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "kernels/epilogue.h"

namespace fovea::cuda {

namespace {

/// Which of the kernel's operands the second input is, if there is one.
enum class Second : std::uint8_t { kNone, kResidual, kBias };

std::vector<Tactic> lower_pixelwise(const OpSite& site,
                                    std::string name,
                                    Second second,
                                    const Activation& activation) {
  const TensorDesc& x = site.input(0);
  if (!elements_fit_int(x)) return {};
  ReadTypes types(site.node.inputs.size(), x.dtype);
  if (second == Second::kBias) {
    types[1] = DType::kFloat32;
    if (!can_be_read_as(site, 1, DType::kFloat32)) return {};
  }
  const int bias_channels =
      second == Second::kBias ? static_cast<int>(channels_of(site.input(1))) : 0;
  const auto make = [=](const BuildArgs& args) -> Launch {
    kernels::EpilogueArgs fixed;
    fixed.type = element_type(x.dtype);
    fixed.x_stride = pixel_stride(x, args.inputs[0]);
    if (second == Second::kResidual) fixed.residual_stride = pixel_stride(x, args.inputs[1]);
    fixed.y_stride = pixel_stride(x, args.outputs[0]);
    fixed.pixels = pixels_of(x);
    fixed.channels = static_cast<int>(channels_of(x));
    fixed.bias_channels = bias_channels;
    fixed.activation = kernel_activation(activation);
    return [=](const Operands& operands, cudaStream_t stream) {
      kernels::EpilogueArgs epilogue = fixed;
      epilogue.x = operands.inputs[0];
      epilogue.residual = second == Second::kResidual ? operands.inputs[1] : nullptr;
      epilogue.bias = second == Second::kBias ? operands.input(1) : nullptr;
      epilogue.y = operands.outputs[0];
      return kernels::epilogue(epilogue, stream);
    };
  };

  Tactic tactic = kernel_tactic(site, std::move(name), std::move(types), make);
  tactic.inputs[0] = strided_or_dense(site.inputs[0]);
  if (second == Second::kResidual) tactic.inputs[1] = strided_or_dense(site.inputs[1]);
  tactic.writes_slices = true;
  // In place only where input and output have the same strides; the compiler gives aliases to
  // dense tensors alone.
  tactic.aliases = {{.input = 0, .output = 0}};
  if (second == Second::kResidual) tactic.aliases.push_back({.input = 1, .output = 0});
  return {tactic};
}

Activation activation_of(const Op& op) {
  if (const auto* clip = std::get_if<Clip>(&op)) {
    return {.kind = ActivationKind::kClip, .lo = clip->lo, .hi = clip->hi};
  }
  if (std::holds_alternative<Tanh>(op)) return {.kind = ActivationKind::kTanh};
  if (std::holds_alternative<Sigmoid>(op)) return {.kind = ActivationKind::kSigmoid};
  return {.kind = ActivationKind::kRelu};
}

}  // namespace

kernels::Activation kernel_activation(const Activation& activation) {
  const auto kind = [&] {
    switch (activation.kind) {
      case ActivationKind::kNone:
        break;
      case ActivationKind::kRelu:
        return kernels::ActivationKind::kRelu;
      case ActivationKind::kClip:
        return kernels::ActivationKind::kClip;
      case ActivationKind::kTanh:
        return kernels::ActivationKind::kTanh;
      case ActivationKind::kSigmoid:
        return kernels::ActivationKind::kSigmoid;
    }
    return kernels::ActivationKind::kNone;
  }();
  return {.kind = kind, .lo = activation.lo, .hi = activation.hi};
}

std::vector<Tactic> lower_add(const OpSite& site) {
  const Second second = site.input(0) == site.input(1) ? Second::kResidual : Second::kBias;
  return lower_pixelwise(site, "epilogue:add", second, site.node.as<Add>()->activation);
}

std::vector<Tactic> lower_activation(const OpSite& site) {
  return lower_pixelwise(site, "epilogue:activation", Second::kNone, activation_of(site.node.op));
}

}  // namespace fovea::cuda
