#include "engine/graph/ops/transpose.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "engine/core/require.h"
#include "engine/graph/ops/shape_rule.h"

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
std::vector<Axis> axes_of(const Shape& shape, std::span<const std::int64_t> perm) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];

  std::vector<Axis> axes;
  for (const std::int64_t source : perm) {
    const auto d = static_cast<std::size_t>(source);
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
void transpose(const std::byte* input, std::byte* output, std::vector<Axis> axes) {
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

std::vector<TensorDesc> Transpose::infer(std::span<const TensorDesc> inputs) const {
  check_inputs(inputs, 1);
  const TensorDesc& x = inputs[0];
  check_rank(x, perm.size(), "x");
  std::vector<bool> seen(perm.size(), false);
  TensorDesc output{x.dtype, {}};
  for (const std::int64_t source : perm) {
    if (source < 0 || source >= static_cast<std::int64_t>(perm.size()) ||
        seen[static_cast<std::size_t>(source)]) {
      throw InvalidArgument(cat(
          "perm names dimension ", source, " of x ", to_string(x), ": it must name each one once"));
    }
    seen[static_cast<std::size_t>(source)] = true;
    output.shape.push_back(x.shape[static_cast<std::size_t>(source)]);
  }
  if (has_batch(x) && perm[0] != 0) {
    throw InvalidArgument(
        cat("perm starts with ", perm[0], ", but x is ", to_string(x), ": the batch stays first"));
  }
  return {std::move(output)};
}

void Transpose::evaluate(std::span<const ConstTensorView> inputs,
                         std::span<const TensorView> outputs) const {
  const std::byte* x = inputs[0].data;
  std::byte* y = outputs[0].data;
  std::vector<Axis> axes = axes_of(inputs[0].desc->shape, perm);
  switch (element_size(inputs[0].desc->dtype)) {
    case 1:
      return transpose<std::uint8_t>(x, y, std::move(axes));
    case 2:
      return transpose<std::uint16_t>(x, y, std::move(axes));
    case 4:
      return transpose<std::uint32_t>(x, y, std::move(axes));
    default:
      return transpose<std::uint64_t>(x, y, std::move(axes));
  }
}

}  // namespace fovea
