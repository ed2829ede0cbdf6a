// Parsing an ONNX file as far as its outermost messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/import_worker/onnx/onnx.pb.h"

namespace fovea::onnx {

/// The file's message, with its versions checked: IR 3 to 14, operator set 7 to 25 of
/// the domain "ai.onnx". Other domains may be named; their operators are refused one by one.
///
/// Throws Error: model/unsupported-format for a file that is no ONNX model at all and for versions
/// outside those ranges; model/corrupt for one that is damaged; model/limit
/// for one of 2 GiB or more.
[[nodiscard]] ModelProto parse_onnx(std::span<const std::byte> bytes);

/// The version of the operator set that the model's nodes are meant by.
[[nodiscard]] std::int64_t operator_set(const ModelProto& model);

}  // namespace fovea::onnx
