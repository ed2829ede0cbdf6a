// Tensors of every element type for tests of kernels, which know them as float32 values.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "engine/core/tensor_view.h"
#include "engine/graph/ops/cast.h"
#include "kernels/element.h"
#include "tests/kernels/device_test.h"

namespace fovea::test {

inline constexpr std::array kElementTypes{kernels::ElementType::kFloat32,
                                          kernels::ElementType::kFloat16,
                                          kernels::ElementType::kBFloat16};

inline DType dtype_of(kernels::ElementType type) {
  switch (type) {
    case kernels::ElementType::kFloat32:
      break;
    case kernels::ElementType::kFloat16:
      return DType::kFloat16;
    case kernels::ElementType::kBFloat16:
      return DType::kBFloat16;
  }
  return DType::kFloat32;
}

/// The relative error of rounding a float32 value to the type once: 2^-11 and 2^-8 of the 16-bit
/// types.
inline double unit_roundoff(kernels::ElementType type) {
  switch (type) {
    case kernels::ElementType::kFloat32:
      break;
    case kernels::ElementType::kFloat16:
      return 0x1p-11;
    case kernels::ElementType::kBFloat16:
      return 0x1p-8;
  }
  return 0.0;
}

/// Elements of one float type as those of another, rounded to nearest even.
inline std::vector<std::byte> converted(const std::vector<std::byte>& elements,
                                        kernels::ElementType from,
                                        kernels::ElementType to) {
  const auto count = static_cast<std::int64_t>(elements.size() / bytes_of(from));
  const TensorDesc source{dtype_of(from), {count}};
  const TensorDesc target{dtype_of(to), {count}};
  std::vector<std::byte> result(byte_size(target));
  const ConstTensorView input{&source, elements.data()};
  const TensorView output{&target, result.data()};
  Cast{target.dtype}.evaluate({&input, 1}, {&output, 1});
  return result;
}

inline std::vector<std::byte> from_floats(const std::vector<float>& values,
                                          kernels::ElementType to) {
  const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
  return converted(
      {bytes, bytes + values.size() * sizeof(float)}, kernels::ElementType::kFloat32, to);
}

inline std::vector<float> to_floats(const std::vector<std::byte>& elements,
                                    kernels::ElementType from) {
  const std::vector<std::byte> bytes = converted(elements, from, kernels::ElementType::kFloat32);
  const auto* floats = reinterpret_cast<const float*>(bytes.data());
  return {floats, floats + bytes.size() / sizeof(float)};
}

/// What a tensor of the type holds of these values.
inline std::vector<float> rounded(const std::vector<float>& values, kernels::ElementType type) {
  return to_floats(from_floats(values, type), type);
}

/// Elements of one type in device memory of exactly their size.
class DeviceElements {
 public:
  DeviceElements(kernels::ElementType type, const std::vector<float>& values)
      : type_(type), bytes_(from_floats(values, type)) {}

  /// NaN.
  DeviceElements(kernels::ElementType type, std::size_t size)
      : type_(type), bytes_(size * bytes_of(type)) {}

  [[nodiscard]] std::byte* at(std::size_t element) const {
    return bytes_.data() + element * bytes_of(type_);
  }

  [[nodiscard]] std::byte* data() const { return bytes_.data(); }

  /// The content after everything that was enqueued on `stream`.
  [[nodiscard]] std::vector<float> download(cudaStream_t stream) const {
    return to_floats(bytes_.download(stream), type_);
  }

 private:
  kernels::ElementType type_;
  DeviceArray<std::byte> bytes_;
};

}  // namespace fovea::test
