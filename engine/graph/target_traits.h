// What a backend can do, as far as graph rewrites need to know.
#pragma once

#include <algorithm>
#include <cstdint>

#include <fovea/precision.h>
#include <fovea/types.h>

#include "engine/graph/ops/activation.h"

namespace fovea {

/// A plain description that a backend hands to the passes; it never names the backend.
struct TargetTraits {
  /// Activations that Conv2d, Dense and Add may carry: bit (1 << ActivationKind).
  std::uint32_t fused_activations = 0;

  /// Conv2d may add a residual before its activation.
  bool fuses_residual = false;

  /// Depthwise convolutions may apply a Relu to what they read (Conv2d::input_activation).
  bool fuses_input_relu = false;

  /// They may in 16-bit types as well.
  bool fuses_half_input_relu = false;

  /// A depthwise convolution and the pointwise one behind it may be one operator (SeparableConv2d)
  /// of at most so many filters; 0: never.
  std::int64_t most_separable_filters = 0;

  /// Channel slices of a larger buffer (Layout::Kind::kSliced) are layouts like others: conversions
  /// read and write them, and so do tactics that say it. A Concat or a Slice along the channels is
  /// then only a place. Where false, no value of a plan is a slice.
  bool writes_slices = false;

  /// Convolutions, pools, sums and activations read a channel slice of a larger buffer as it lies.
  bool reads_slices = false;

  /// Activations that a float32 Conv2d may apply to its first channels only
  /// (Conv2d::activation_channels): bit (1 << ActivationKind).
  std::uint32_t partial_activations = 0;

  /// AveragePool may carry the activations that Conv2d may.
  bool fuses_pool_activation = false;

  /// TopK may take the softmax in front of it over (TopK::softmax).
  bool fuses_softmax_topk = false;

  /// Pixels of an activation are padded to a multiple of this many bytes; 1 means not at all.
  int pixel_alignment_bytes = 1;

  /// Pictures are resized by the threads that decode them, so plans begin behind ResizeImage.
  bool resizes_on_host = true;

  /// The most pixels that a side of a picture may have which the target resizes; larger ones are
  /// resized by the threads that decode them. Of no meaning where all are.
  int largest_picture_side = 0;

  /// ResizeNormalize may take a ResizeImage and the NormalizeImage behind it over, and either one
  /// that normalises the Cast to a half type behind it.
  bool fuses_resize_normalize = false;

  /// What networks can be computed in: bit (1 << Precision).
  std::uint32_t precisions = bit(Precision::kFp32);

  /// The channels of an activation that is computed in `precision` are padded to a multiple of this
  /// many.
  [[nodiscard]] constexpr int channel_alignment(Precision precision) const {
    return std::max(1, pixel_alignment_bytes / element_bytes(precision));
  }

  [[nodiscard]] static constexpr int element_bytes(Precision precision) {
    switch (precision) {
      case Precision::kInt8:
        return 1;
      case Precision::kFp16:
      case Precision::kBf16:
        return 2;
      case Precision::kFp32:
      case Precision::kTf32:
        break;
    }
    return 4;
  }

  [[nodiscard]] static constexpr std::uint32_t bit(Precision precision) {
    return 1U << static_cast<unsigned>(precision);
  }

  [[nodiscard]] bool computes_in(Precision precision) const {
    return (precisions & bit(precision)) != 0;
  }

  [[nodiscard]] bool fuses(ActivationKind kind) const {
    return (fused_activations >> static_cast<unsigned>(kind) & 1U) != 0;
  }

  [[nodiscard]] bool fuses_partly(ActivationKind kind) const {
    return (partial_activations >> static_cast<unsigned>(kind) & 1U) != 0;
  }
};

}  // namespace fovea
