// ONNX files as packages.
#pragma once

#include <cstddef>
#include <span>

#include "engine/importers/package.h"

namespace fovea::onnx {

/// The model of an ONNX file: its graph in our operators, with pictures in NHWC behind the input,
/// which stays as the file declares it, only its batch is open. Values keep the file's names.
/// manifest.notes say what was made of what; manifest.source is left to the caller.
///
/// Throws Error: model/unsupported-op, naming every operator that has no converter, or the node and
/// the form that has none; model/unsupported-format, model/corrupt, model/limit as parse_onnx and
/// take_tensor.
[[nodiscard]] Package import_onnx(std::span<const std::byte> bytes);

}  // namespace fovea::onnx
