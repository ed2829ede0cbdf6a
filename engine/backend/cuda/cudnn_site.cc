#include "engine/backend/cuda/cudnn_site.h"

#include <numeric>

namespace fovea::cuda {

namespace {

/// The activation as cuDNN's graphs have it.
bool takes(const Conv2d& op) {
  return op.input_activation == ActivationKind::kNone &&
         (op.activation.kind == ActivationKind::kNone || op.activation_channels == 0);
}

bool takes(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

/// Buffers are aligned to more than cuDNN asks for, so a slice to what its offset is.
CudnnPlace place(const Layout& layout, std::int64_t channels, std::size_t element_bytes) {
  CudnnPlace place{.pixel_stride = channels};
  if (layout.kind != Layout::Kind::kSliced) return place;
  place.pixel_stride = layout.pixel_stride;
  place.alignment =
      std::gcd(place.alignment, layout.channel_offset * static_cast<std::int64_t>(element_bytes));
  return place;
}

}  // namespace

std::vector<CudnnBias> bias_types(const OpSite& site) {
  if (!site.node.as<Conv2d>()->bias) return {CudnnBias::kNone};
  if (site.input(0).dtype == DType::kFloat32) return {CudnnBias::kOutputType};
  return {CudnnBias::kOutputType, CudnnBias::kFloat32};
}

std::optional<CudnnConvolution> describe(const OpSite& site,
                                         std::span<const Layout> inputs,
                                         const Layout& output,
                                         CudnnBias bias) {
  const Conv2d& op = *site.node.as<Conv2d>();
  const TensorDesc& x = site.input(0);
  const TensorDesc& w = site.input(1);
  const TensorDesc& y = site.node.outputs[0];
  if (!takes(op) || !takes(x.dtype) || site.constant(1) == nullptr ||
      (op.bias && site.constant(2) == nullptr) ||
      (op.residual && site.constant(inputs.size() - 1) != nullptr)) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (site.constant(i) == nullptr && inputs[i].kind == Layout::Kind::kOpaque) return std::nullopt;
  }
  CudnnConvolution convolution{.dtype = x.dtype,
                               .n = x.shape[0],
                               .h = x.shape[1],
                               .w = x.shape[2],
                               .c = x.shape[3],
                               .out_h = y.shape[1],
                               .out_w = y.shape[2],
                               .out_c = y.shape[3],
                               .kernel = {w.shape[1], w.shape[2]},
                               .strides = op.strides,
                               .dilations = op.dilations,
                               .pads = op.pads,
                               .groups = op.groups,
                               .x = place(inputs[0], x.shape[3], element_size(x.dtype)),
                               .residual = op.residual,
                               .bias = bias,
                               .activation = op.activation.kind,
                               .tf32 = site.tf32 && x.dtype == DType::kFloat32,
                               .exact_convolutions = site.exact_convolutions};
  if (op.residual) convolution.z = place(inputs.back(), y.shape[3], element_size(y.dtype));
  if (op.activation.kind == ActivationKind::kClip) {
    convolution.lo = op.activation.lo;
    convolution.hi = op.activation.hi;
  }
  return with_output(convolution, output);
}

std::optional<CudnnConvolution> describe_dense(const OpSite& site) {
  const std::vector<Layout> dense(site.inputs.size());
  return describe(site, dense, Layout{}, bias_types(site).front());
}

CudnnConvolution with_output(CudnnConvolution convolution, const Layout& output) {
  convolution.y = place(output, convolution.out_c, element_size(convolution.dtype));
  return convolution;
}

Layout wanted_output(const OpSite& site) {
  if (site.node.as<Conv2d>()->residual) return {};
  return site.wanted_layout(0).value_or(Layout{});
}

}  // namespace fovea::cuda
