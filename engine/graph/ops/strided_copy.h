// Tensors whose dimensions lie in another order than they are counted in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <fovea/types.h>

namespace fovea {

/// Elements between neighbours along every dimension of a dense row-major tensor of this shape.
[[nodiscard]] Shape row_major_strides(const Shape& shape);

/// What belongs to the dimensions perm[0], perm[1], ..., such as sizes or strides; `perm` names
/// each dimension once.
[[nodiscard]] Shape permuted(const Shape& of_dimensions, std::span<const std::int64_t> perm);

/// y[i, j, ...] = x[i * strides[0] + j * strides[1] + ...], y dense and row-major.
///
/// desc      of y, of concrete shape
/// strides   elements, a permutation of the strides of a dense tensor
/// x and y must not overlap.
void copy_strided(const std::byte* x, std::byte* y, const TensorDesc& desc, const Shape& strides);

}  // namespace fovea
