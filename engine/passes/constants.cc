#include "engine/passes/constants.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/core/hash.h"
#include "engine/core/require.h"
#include "engine/graph/ops/strided_copy.h"

namespace fovea {

const Constant* float_constant(const Graph& graph, Value value) {
  const Constant* constant = graph.node(value).as<Constant>();
  if (constant == nullptr || constant->data == nullptr) return nullptr;
  return constant->desc.dtype == DType::kFloat32 ? constant : nullptr;
}

std::optional<std::vector<float>> constant_floats(const Graph& graph, Value value) {
  const Constant* constant = float_constant(graph, value);
  if (constant == nullptr) return std::nullopt;
  const PinnedBytes bytes = constant->read();
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

Constant make_constant(Shape shape, std::span<const float> values) {
  const auto source = std::as_bytes(values);
  return {{DType::kFloat32, std::move(shape)}, Buffer::from({source.begin(), source.end()})};
}

Constant scaled_rows(const Constant& constant, std::vector<double> scale) {
  const auto rows = static_cast<std::size_t>(constant.desc.shape.at(0));
  require(scale.size() == rows, "one factor for every row is needed");
  // The elements keep their places: every `inner` of them belong to one row.
  const auto inner = static_cast<std::size_t>(constant.element_strides()[0]);
  const std::string recipe =
      cat("rows of ", constant.key(), " times ", xxh3_128(std::as_bytes(std::span(scale))));
  const auto compute =
      [source = constant.data, scale = std::move(scale), inner](std::span<std::byte> out) {
        const PinnedBytes bytes = source->read();
        const auto* x = reinterpret_cast<const float*>(bytes.data());
        auto* y = reinterpret_cast<float*>(out.data());
        const std::size_t count = out.size() / sizeof(float);
        for (std::size_t i = 0; i < count;) {
          for (const double factor : scale) {
            for (std::size_t j = 0; j < inner; ++j, ++i) y[i] = static_cast<float>(x[i] * factor);
          }
        }
        source->forget(0, source->size());
      };
  return {
      constant.desc, Buffer::computed(constant.data->size(), recipe, compute), constant.strides};
}

Constant joined_rows(const std::vector<Constant>& parts) {
  require(!parts.empty(), "there is nothing to join");
  TensorDesc desc = parts[0].desc;
  desc.shape.at(0) = 0;
  std::string recipe = "joined rows of";
  for (const Constant& part : parts) {
    desc.shape[0] += part.desc.shape.at(0);
    recipe += cat(' ', part.key(), " (", to_string(part.desc), ')');
  }
  const auto compute = [parts](std::span<std::byte> out) {
    std::size_t at = 0;
    for (const Constant& part : parts) {
      const PinnedBytes rows = part.read();
      std::memcpy(out.data() + at, rows.data(), rows.size());
      at += rows.size();
      part.data->forget(0, part.data->size());
    }
  };
  return {desc, Buffer::computed(byte_size(desc), std::move(recipe), compute)};
}

Constant scaled_columns(const Constant& constant, std::int64_t groups, std::vector<double> scale) {
  const Shape& shape = constant.desc.shape;
  const std::int64_t columns = shape.back();
  const std::int64_t rows = num_elements(shape) / columns;  // of all outputs
  const std::int64_t rows_of_group = rows / groups;
  require(static_cast<std::int64_t>(scale.size()) == groups * columns,
          "one factor for every input is needed");
  const std::string recipe = cat("columns of ",
                                 constant.key(),
                                 " times ",
                                 xxh3_128(std::as_bytes(std::span(scale))),
                                 " in groups of ",
                                 rows_of_group);
  const auto compute =
      [constant, scale = std::move(scale), columns, rows, rows_of_group](std::span<std::byte> out) {
        const PinnedBytes bytes = constant.read();
        const auto* x = reinterpret_cast<const float*>(bytes.data());
        auto* y = reinterpret_cast<float*>(out.data());
        for (std::int64_t row = 0; row < rows; ++row) {
          const double* factors = scale.data() + row / rows_of_group * columns;
          for (std::int64_t i = 0; i < columns; ++i) *y++ = static_cast<float>(*x++ * factors[i]);
        }
        constant.data->forget(0, constant.data->size());
      };
  return {constant.desc, Buffer::computed(constant.data->size(), recipe, compute)};
}

Constant zero_padded(const Constant& constant, Shape shape) {
  const Shape& from = constant.desc.shape;
  require(!shape.empty() && shape.size() == from.size(), "padding keeps the rank");
  for (std::size_t d = 0; d < shape.size(); ++d) {
    require(shape[d] >= from[d], "padding makes no dimension smaller");
  }
  const TensorDesc desc{DType::kFloat32, std::move(shape)};
  const std::string recipe = cat(constant.key(), " with zeros to ", to_string(desc));
  const auto compute = [constant, to = desc.shape](std::span<std::byte> out) {
    const Shape& present = constant.desc.shape;
    const PinnedBytes bytes = constant.read();
    const auto row = static_cast<std::size_t>(present.back()) * sizeof(float);
    const Shape strides = row_major_strides(to);
    std::ranges::fill(out, std::byte{0});
    for (std::int64_t r = 0; r < num_elements(present) / present.back(); ++r) {
      std::int64_t rest = r;
      std::int64_t place = 0;
      for (std::size_t d = present.size() - 1; d-- > 0; rest /= present[d]) {
        place += rest % present[d] * strides[d];
      }
      std::memcpy(out.data() + static_cast<std::size_t>(place) * sizeof(float),
                  bytes.data() + static_cast<std::size_t>(r) * row,
                  row);
    }
    constant.data->forget(0, constant.data->size());
  };
  return {desc, Buffer::computed(byte_size(desc), recipe, compute)};
}

}  // namespace fovea
