// A convolution as cuDNN is asked for it: numbers alone, which say all that a plan depends on.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include <fovea/types.h>

#include "engine/graph/ops/conv2d.h"

namespace fovea::cuda {

/// Whether a bias is added, and the type that it is packed in. cuDNN's engines that are compiled
/// ahead take a bias of the output's type only; float32 is more exact.
enum class CudnnBias : std::uint8_t { kNone, kOutputType, kFloat32 };

/// A tensor in memory: elements from pixel to pixel, at least the channels, and the bytes that its
/// address is a multiple of, at most 16.
struct CudnnPlace {
  std::int64_t pixel_stride = 0;
  std::int64_t alignment = 16;

  auto operator<=>(const CudnnPlace&) const = default;
};

/// conv(x, w) (+ residual) (+ bias), then the activation. Sizes as in Conv2d; the batch is
/// concrete. x, w, residual and y have one type; sums are float32.
struct CudnnConvolution {
  DType dtype = DType::kFloat32;
  std::int64_t n = 1, h = 1, w = 1, c = 1;
  std::int64_t out_h = 1, out_w = 1, out_c = 1;
  std::array<std::int64_t, 2> kernel{1, 1};
  std::array<std::int64_t, 2> strides{1, 1};
  std::array<std::int64_t, 2> dilations{1, 1};
  Pads pads{0, 0, 0, 0};
  std::int64_t groups = 1;
  CudnnPlace x{};
  CudnnPlace y{};
  bool residual = false;
  CudnnPlace z{};  ///< of the residual
  CudnnBias bias = CudnnBias::kNone;
  ActivationKind activation = ActivationKind::kNone;
  float lo = 0;  ///< of kClip; else 0, as hi
  float hi = 0;
  bool tf32 = false;                ///< see OpSite
  bool exact_convolutions = false;  ///< see OpSite

  auto operator<=>(const CudnnConvolution&) const = default;

  /// Whether the output is a slice of a larger buffer.
  [[nodiscard]] bool writes_slice() const { return y.pixel_stride != out_c; }
};

/// The operations behind the convolution as tactics spell them: "conv", "z+bo+relu". `bo` is a bias
/// of the output's type and `bf` one of float32.
[[nodiscard]] std::string epilogue_name(const CudnnConvolution& convolution);

/// All of it as text that is stable across versions, to keep plans under.
[[nodiscard]] std::string to_string(const CudnnConvolution& convolution);

}  // namespace fovea::cuda
