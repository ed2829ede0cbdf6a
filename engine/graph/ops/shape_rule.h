// What the shape rules of the operators have in common. A rule that does not hold throws
// InvalidArgument with both sides in the message; the graph puts the node's name in front.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <fovea/types.h>

#include "engine/graph/ops/activation.h"

namespace fovea {

/// Most dimensions that a tensor may have.
inline constexpr std::size_t kMaxRank = 8;

/// Largest dimension of a tensor: small enough that sums of dimensions never overflow.
inline constexpr std::int64_t kMaxDim = std::int64_t{1} << 40;

/// Requires a known element type, at most kMaxRank dimensions from 1 to kMaxDim each (the first may
/// be kBatch), and a size in bytes that fits 62 bits. `what` names the tensor: "x", "bias".
void check_desc(const TensorDesc& desc, std::string_view what);

/// Requires exactly `count` inputs, each of which check_desc accepts.
void check_inputs(std::span<const TensorDesc> inputs, std::size_t count);

/// Requires the element type.
void check_dtype(const TensorDesc& desc, DType dtype, std::string_view what);

/// Requires the number of dimensions.
void check_rank(const TensorDesc& desc, std::size_t rank, std::string_view what);

/// Requires that `axis` names a dimension behind the first one, which may be the batch.
void check_axis(std::int64_t axis, const TensorDesc& desc, std::string_view what);

/// Requires that no dimension is symbolic.
void check_concrete(const TensorDesc& desc, std::string_view what);

/// Requires f32 [N,H,W,C].
void check_picture(const TensorDesc& desc, std::string_view what);

/// Requires exactly the description `expected`.
void check_equal(const TensorDesc& desc, const TensorDesc& expected, std::string_view what);

/// Requires a known kind, and lo <= hi for kClip.
void check_activation(const Activation& activation);

/// The last dimension; requires that there is one and that it is not the symbolic batch.
[[nodiscard]] std::int64_t last_dim(const TensorDesc& desc, std::string_view what);

/// The description itself, after check_desc: for an output whose size was computed.
[[nodiscard]] TensorDesc checked_output(TensorDesc desc);

}  // namespace fovea
