#include "engine/graph/ops/strided_copy.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace fovea {

namespace {

/// One dimension of the output; strides in elements.
struct Axis {
  std::int64_t size;
  std::int64_t from;  ///< stride in x
  std::int64_t to;    ///< stride in y
};

/// The output's dimensions, outermost first: those of size 1 dropped, and neighbours that are
/// neighbours in x too joined.
std::vector<Axis> axes_of(const Shape& shape, const Shape& strides) {
  std::vector<Axis> axes;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    if (!axes.empty() && axes.back().from == strides[d] * shape[d]) {
      axes.back().size *= shape[d];
      axes.back().from = strides[d];
    } else {
      axes.push_back({.size = shape[d], .from = strides[d], .to = 1});
    }
  }
  for (std::size_t d = axes.size(); d-- > 1;) axes[d - 1].to = axes[d].to * axes[d].size;
  return axes;
}

/// Calls `copy(x offset, y offset)` for every position along `axes`.
template <typename Copy>
void for_each_position(std::span<const Axis> axes, Copy copy) {
  std::vector<std::int64_t> index(axes.size(), 0);
  std::int64_t from = 0;
  std::int64_t to = 0;
  while (true) {
    copy(from, to);
    std::size_t d = axes.size();
    for (; d-- > 0;) {
      from += axes[d].from;
      to += axes[d].to;
      if (++index[d] < axes[d].size) break;
      from -= index[d] * axes[d].from;
      to -= index[d] * axes[d].to;
      index[d] = 0;
    }
    if (d == static_cast<std::size_t>(-1)) return;
  }
}

/// y[i * rows.to + j] = x[i + j * cols.from] in tiles that fit the first cache, because one of the
/// two sides always strides.
template <typename T>
void transpose_plane(const T* x, T* y, const Axis& rows, const Axis& cols) {
  constexpr std::int64_t kTile = 16;
  for (std::int64_t i0 = 0; i0 < rows.size; i0 += kTile) {
    const std::int64_t i1 = std::min(i0 + kTile, rows.size);
    for (std::int64_t j0 = 0; j0 < cols.size; j0 += kTile) {
      const std::int64_t j1 = std::min(j0 + kTile, cols.size);
      for (std::int64_t i = i0; i < i1; ++i) {
        for (std::int64_t j = j0; j < j1; ++j) y[i * rows.to + j] = x[i + j * cols.from];
      }
    }
  }
}

template <typename T>
void copy_axes(const std::byte* input, std::byte* output, std::vector<Axis> axes) {
  const T* x = reinterpret_cast<const T*>(input);
  T* y = reinterpret_cast<T*>(output);
  // In x one dimension lies innermost: the rows of the plane, unless it is the output's innermost.
  const auto rows = std::ranges::find(axes, 1, &Axis::from);
  if (rows == axes.end()) {
    *y = *x;
    return;
  }
  const Axis cols = axes.back();
  if (cols.from == 1) {
    axes.pop_back();
    for_each_position(axes, [&](std::int64_t from, std::int64_t to) {
      std::copy_n(x + from, cols.size, y + to);
    });
    return;
  }
  const Axis plane_rows = *rows;
  axes.erase(rows);
  axes.pop_back();
  for_each_position(axes, [&](std::int64_t from, std::int64_t to) {
    transpose_plane(x + from, y + to, plane_rows, cols);
  });
}

}  // namespace

Shape row_major_strides(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

Shape permuted(const Shape& of_dimensions, std::span<const std::int64_t> perm) {
  Shape result;
  for (const std::int64_t d : perm) result.push_back(of_dimensions.at(static_cast<std::size_t>(d)));
  return result;
}

void copy_strided(const std::byte* x, std::byte* y, const TensorDesc& desc, const Shape& strides) {
  std::vector<Axis> axes = axes_of(desc.shape, strides);
  switch (element_size(desc.dtype)) {
    case 1:
      return copy_axes<std::uint8_t>(x, y, std::move(axes));
    case 2:
      return copy_axes<std::uint16_t>(x, y, std::move(axes));
    case 4:
      return copy_axes<std::uint32_t>(x, y, std::move(axes));
    default:
      return copy_axes<std::uint64_t>(x, y, std::move(axes));
  }
}

}  // namespace fovea
