// What the attributes of Conv and the pools say about the window that moves over a picture.
#pragma once

#include <array>
#include <cstdint>

#include <fovea/types.h>

#include "engine/graph/ops/window.h"
#include "engine/import_worker/onnx/onnx_node.h"

namespace fovea::onnx {

/// Sizes along the height and the width.
using Pair = std::array<std::int64_t, 2>;

struct Window {
  Pair kernel{1, 1};
  Pair strides{1, 1};
  Pair dilations{1, 1};
};

/// Reads "strides" and "dilations"; the kernel is the caller's.
[[nodiscard]] Window read_window(OnnxNode& node, const Pair& kernel);

/// The padding that "auto_pad" or "pads" ask for; `shape` is the NHWC input's. Throws model/corrupt
/// for an "auto_pad" that the format does not have.
[[nodiscard]] Pads read_padding(OnnxNode& node, const Shape& shape, const Window& window);

}  // namespace fovea::onnx
