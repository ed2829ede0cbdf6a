// Tensors that an ONNX file brings along.
#pragma once

#include "engine/graph/ops/constant.h"
#include "engine/import_worker/onnx/onnx.pb.h"

namespace fovea::onnx {

/// The tensor as a Constant. Its bytes are taken out of the message, which is then used up.
///
/// Throws Error, naming the tensor: model/unsupported-format for external data;
/// model/unsupported-op for element types that no tensor of ours has; model/corrupt for negative
/// dimensions and for data of another length than the dimensions say; model/limit for more than
/// kMaxRank dimensions.
[[nodiscard]] Constant take_tensor(TensorProto& tensor);

/// The type of the format's number. Throws model/unsupported-op, naming `what`.
[[nodiscard]] DType dtype_of(int data_type, std::string_view what);

/// The Constant with its dimensions in another order: result dimension d is dimension perm[d].
[[nodiscard]] Constant transposed(const Constant& constant, const std::vector<std::int64_t>& perm);

}  // namespace fovea::onnx
