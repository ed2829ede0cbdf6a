// Runs one operator on small tensors.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/error.h>
#include <fovea/types.h>

#include "engine/core/tensor_view.h"

namespace fovea::test {

/// A tensor that owns its elements.
struct Tensor {
  TensorDesc desc;
  std::vector<std::byte> bytes;

  template <typename T>
  [[nodiscard]] std::vector<T> values() const {
    std::vector<T> result(bytes.size() / sizeof(T));
    std::memcpy(result.data(), bytes.data(), bytes.size());
    return result;
  }

  [[nodiscard]] std::vector<float> floats() const { return values<float>(); }
};

template <typename T>
Tensor tensor(DType dtype, Shape shape, const std::vector<T>& values) {
  Tensor result{{dtype, std::move(shape)}, std::vector<std::byte>(values.size() * sizeof(T))};
  EXPECT_EQ(byte_size(result.desc), result.bytes.size());
  std::memcpy(result.bytes.data(), values.data(), result.bytes.size());
  return result;
}

inline Tensor floats(Shape shape, const std::vector<float>& values) {
  return tensor(DType::kFloat32, std::move(shape), values);
}

/// Whole numbers from -4 to 4: their products and sums are exact, in any order.
inline Tensor whole_numbers(Shape shape, unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<float> values(static_cast<std::size_t>(num_elements(shape)));
  for (float& value : values) value = static_cast<float>(random() % 9) - 4.0F;
  return floats(std::move(shape), values);
}

/// An enumerator that a damaged file may hold and that the enumeration does not have.
template <typename Enum>
Enum unknown(std::uint8_t number) {
  return std::bit_cast<Enum>(number);
}

inline TensorDesc f32(Shape shape) {
  return {DType::kFloat32, std::move(shape)};
}

/// The operator's outputs; every byte that it does not write stays 0xA5.
template <typename OpT>
std::vector<Tensor> run(const OpT& op, const std::vector<Tensor>& inputs) {
  std::vector<TensorDesc> descs;
  std::vector<ConstTensorView> views;
  descs.reserve(inputs.size());
  views.reserve(inputs.size());
  for (const Tensor& input : inputs) {
    descs.push_back(input.desc);
    views.push_back({&input.desc, input.bytes.data()});
  }
  std::vector<Tensor> outputs;
  for (const TensorDesc& desc : op.infer(descs)) {
    outputs.push_back({desc, std::vector<std::byte>(byte_size(desc), std::byte{0xA5})});
  }
  std::vector<TensorView> output_views;
  output_views.reserve(outputs.size());
  for (Tensor& output : outputs) output_views.push_back({&output.desc, output.bytes.data()});
  op.evaluate(views, output_views);
  return outputs;
}

/// The floats of the only output.
template <typename OpT>
std::vector<float> run_floats(const OpT& op, const std::vector<Tensor>& inputs) {
  const std::vector<Tensor> outputs = run(op, inputs);
  EXPECT_EQ(outputs.size(), 1U);
  return outputs.at(0).floats();
}

template <typename OpT>
std::vector<TensorDesc> infer(const OpT& op, const std::vector<TensorDesc>& inputs) {
  return op.infer(inputs);
}

/// Expects InvalidArgument whose message holds all of `parts`.
template <typename OpT>
void expect_refused(const OpT& op,
                    const std::vector<TensorDesc>& inputs,
                    std::initializer_list<std::string_view> parts) {
  try {
    (void)op.infer(inputs);
    ADD_FAILURE() << OpT::kName << " accepts what it should refuse";
  } catch (const InvalidArgument& error) {
    for (const std::string_view part : parts) {
      EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos)
          << "no '" << part << "' in: " << error.what();
    }
  }
}

}  // namespace fovea::test
