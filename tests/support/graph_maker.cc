#include "tests/support/graph_maker.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "engine/core/require.h"

namespace fovea::test {

namespace {

template <typename T>
Constant constant_of(DType dtype, const Shape& shape, const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return {{dtype, shape}, Buffer::from(std::move(bytes))};
}

}  // namespace

std::int64_t GraphMaker::between(std::int64_t low, std::int64_t high) {
  // The remainder is a little uneven, and the same everywhere.
  return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
}

Value GraphMaker::add(Op op, std::vector<Value> inputs) {
  const std::string name = cat(op_name(op), '_', graph_.size());
  const bool fixed = std::holds_alternative<Constant>(op);
  const Value value = graph_.add(std::move(op), std::move(inputs), name);
  const TensorDesc& desc = graph_.desc(value);
  if (!fixed && desc.dtype == DType::kFloat32 && !desc.shape.empty() && desc.shape[0] == kBatch) {
    if (desc.shape.size() == 4) pictures_.push_back(value);
    if (desc.shape.size() == 2) vectors_.push_back(value);
  }
  return value;
}

std::optional<Value> GraphMaker::try_add(Op op, std::vector<Value> inputs) {
  try {
    return add(std::move(op), std::move(inputs));
  } catch (const InvalidArgument&) {
    return std::nullopt;  // a window that does not fit, or the like
  }
}

Value GraphMaker::constant(const Shape& shape, Range range) {
  std::vector<float> values(static_cast<std::size_t>(num_elements(shape)));
  for (float& value : values) {
    const auto part = static_cast<float>(between(0, (1 << 20) - 1)) / (1 << 20);
    value = range.low + (range.high - range.low) * part;
  }
  const Value made = add(constant_of(DType::kFloat32, shape, values), {});
  constants_.push_back({made, range});
  return made;
}

Value GraphMaker::floats(const Shape& shape, Range range) {
  const auto known = std::ranges::find_if(constants_, [&](const Known& one) {
    return desc(one.value).shape == shape && one.range == range;
  });
  if (known == constants_.end() || !chance(40)) return constant(shape, range);
  if (chance(40)) return known->value;
  Constant copy = *graph_.node(known->value).as<Constant>();
  if (chance(50)) {
    const PinnedBytes bytes = copy.read();
    copy.data = Buffer::from({bytes.begin(), bytes.end()});
  }
  return add(std::move(copy), {});
}

Value GraphMaker::bytes(DType dtype, const Shape& shape) {
  std::vector<std::uint8_t> values(static_cast<std::size_t>(num_elements(shape)));
  for (auto& value : values) value = static_cast<std::uint8_t>(between(0, 255));
  return add(constant_of(dtype, shape, values), {});
}

Value GraphMaker::weights(const Shape& shape) {
  const std::int64_t inputs = num_elements(shape) / shape[0];
  const float size = 1.7F / std::sqrt(static_cast<float>(inputs));
  const Range range{-size, size};
  switch (between(0, 19)) {
    case 0: {
      // Integers of up to 128 beside a zero point in the middle.
      const Shape grid{chance(50) ? shape[0] : 1};
      const Value scale = floats(grid, {size / 200, size / 100});
      const Value quantised = bytes(DType::kInt8, shape);
      return add(DequantizeLinear{.axis = 0}, {quantised, scale});
    }
    case 1: {
      Transpose turn;
      for (std::size_t i = shape.size(); i-- > 0;)
        turn.perm.push_back(static_cast<std::int64_t>(i));
      return add(turn, {floats({shape.rbegin(), shape.rend()}, range)});
    }
    case 2:
      return add(Reshape{shape}, {floats({num_elements(shape)}, range)});
    case 3:
      return add(Mul{}, {floats(shape, range), floats({shape.back()}, {0.5F, 1.5F})});
    default:
      return floats(shape, range);
  }
}

Value GraphMaker::mostly_last(const std::vector<Value>& values) {
  if (chance(70)) return values.back();
  return values[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(values.size()) - 1))];
}

Value GraphMaker::picture() {
  return mostly_last(pictures_);
}

std::optional<Value> GraphMaker::vector() {
  if (vectors_.empty()) return std::nullopt;
  return mostly_last(vectors_);
}

std::optional<Value> GraphMaker::twin(Value value) {
  std::vector<Value> twins;
  for (const auto* values : {&pictures_, &vectors_}) {
    for (const Value& other : *values) {
      if (other != value && desc(other) == desc(value)) twins.push_back(other);
    }
  }
  if (twins.empty()) return std::nullopt;
  return mostly_last(twins);
}

}  // namespace fovea::test
