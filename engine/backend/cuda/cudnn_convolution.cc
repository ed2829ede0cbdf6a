#include "engine/backend/cuda/cudnn_convolution.h"

#include <array>
#include <charconv>
#include <vector>

#include "engine/core/joined.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

const char* activation_name(ActivationKind kind) {
  switch (kind) {
    case ActivationKind::kNone:
      break;
    case ActivationKind::kRelu:
      return "relu";
    case ActivationKind::kClip:
      return "clip";
    case ActivationKind::kTanh:
      return "tanh";
    case ActivationKind::kSigmoid:
      return "sigmoid";
  }
  return "";
}

std::string place(const CudnnPlace& at) {
  return cat(at.pixel_stride, '@', at.alignment);
}

/// All of the number's digits.
std::string exact(float value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

}  // namespace

std::string epilogue_name(const CudnnConvolution& convolution) {
  std::vector<std::string> parts;
  if (convolution.residual) parts.emplace_back("z");
  if (convolution.bias == CudnnBias::kOutputType) parts.emplace_back("bo");
  if (convolution.bias == CudnnBias::kFloat32) parts.emplace_back("bf");
  if (convolution.activation != ActivationKind::kNone) {
    parts.emplace_back(activation_name(convolution.activation));
  }
  return parts.empty() ? "conv" : joined(parts, "+");
}

std::string to_string(const CudnnConvolution& conv) {
  std::string text = cat(to_string(conv.dtype),
                         '[',
                         joined(std::array{conv.n, conv.h, conv.w, conv.c}, ","),
                         "] x",
                         place(conv.x),
                         " k[",
                         joined(conv.kernel, ","),
                         "] s[",
                         joined(conv.strides, ","),
                         "] d[",
                         joined(conv.dilations, ","),
                         "] p[",
                         joined(conv.pads, ","),
                         "] g",
                         conv.groups,
                         " [",
                         joined(std::array{conv.out_h, conv.out_w, conv.out_c}, ","),
                         "] y",
                         place(conv.y),
                         ' ',
                         epilogue_name(conv));
  if (conv.residual) text.append(" z").append(place(conv.z));
  if (conv.activation == ActivationKind::kClip) {
    text.append(cat(" lo", exact(conv.lo), " hi", exact(conv.hi)));
  }
  if (conv.tf32) text.append(" tf32");
  if (conv.exact_convolutions) text.append(" exact");
  return text;
}

}  // namespace fovea::cuda
