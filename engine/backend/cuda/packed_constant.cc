#include "engine/backend/cuda/packed_constant.h"

#include <algorithm>
#include <cmath>

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "engine/core/require.h"
#include "engine/graph/half.h"
#include "engine/graph/ops/cast.h"

namespace fovea::cuda {

namespace {

/// The constant's elements row-major as `dtype`, rounded to nearest even; in host memory.
std::vector<std::byte> elements_as(const Constant& constant, DType dtype) {
  const PinnedBytes values = constant.read();
  const TensorDesc desc{dtype, constant.desc.shape};
  std::vector<std::byte> elements(byte_size(desc));
  const ConstTensorView source{&constant.desc, values.data()};
  const TensorView target{&desc, elements.data()};
  Cast{dtype}.evaluate({&source, 1}, {&target, 1});
  return elements;
}

/// Rounds a row so that the errors add up to less than one of them.
template <typename T, typename Narrow, typename Widen>
void round_row(std::span<const float> row, T* out, Narrow narrow, Widen widen) {
  float lost = 0;
  for (const float value : row) {
    const float wanted = value == 0 ? 0 : value + lost;
    const T rounded = narrow(wanted);
    *out++ = rounded;
    if (value == 0) continue;
    lost = wanted - widen(rounded);
    if (!std::isfinite(lost)) lost = 0;  // no element takes an infinity over
  }
}

template <typename T, typename Narrow, typename Widen>
std::vector<std::byte> rounded_rows(const Constant& weights, Narrow narrow, Widen widen) {
  const PinnedBytes bytes = weights.read();
  const std::span values(reinterpret_cast<const float*>(bytes.data()),
                         bytes.size() / sizeof(float));
  const auto rows = static_cast<std::size_t>(weights.desc.shape.at(0));
  const std::size_t columns = values.size() / rows;
  std::vector<std::byte> elements(values.size() * sizeof(T));
  T* out = reinterpret_cast<T*>(elements.data());
  for (std::size_t i = 0; i < rows; ++i) {
    round_row(values.subspan(i * columns, columns), out + i * columns, narrow, widen);
  }
  return elements;
}

}  // namespace

bool carries_errors(const Constant& weights, DType dtype) {
  return weights.desc.dtype == DType::kFloat32 && is_half(dtype);
}

std::vector<std::byte> weights_as(const Constant& weights, DType dtype) {
  if (!carries_errors(weights, dtype)) return elements_as(weights, dtype);
  if (dtype == DType::kFloat16) {
    return rounded_rows<__half>(
        weights,
        [](float x) { return __float2half_rn(x); },
        [](__half x) { return __half2float(x); });
  }
  return rounded_rows<__nv_bfloat16>(
      weights,
      [](float x) { return __float2bfloat16_rn(x); },
      [](__nv_bfloat16 x) { return __bfloat162float(x); });
}

std::string rows_of(const Constant& weights, DType dtype) {
  return cat("rows of ", to_string(dtype), carries_errors(weights, dtype) ? " carried" : "");
}

std::shared_ptr<const std::byte> packed_weights(const Constant& weights,
                                                DType dtype,
                                                WeightStore& store) {
  if (dtype == weights.desc.dtype) return packed_constant(weights, dtype, store);
  const std::string key = cat(weights.key(), " dense ", rows_of(weights, dtype));
  return store.get(key, byte_size({dtype, weights.desc.shape}), [&](std::span<std::byte> out) {
    std::ranges::copy(weights_as(weights, dtype), out.begin());
  });
}

std::shared_ptr<const std::byte> packed_constant(const Constant& constant,
                                                 DType dtype,
                                                 WeightStore& weights) {
  const bool as_it_is = dtype == constant.desc.dtype;
  const std::string key =
      as_it_is ? cat(constant.key(), " dense") : cat(constant.key(), " dense ", to_string(dtype));
  const std::size_t bytes = byte_size({dtype, constant.desc.shape});
  return weights.get(key, bytes, [&](std::span<std::byte> out) {
    if (as_it_is) {
      std::ranges::copy(constant.read(), out.begin());
    } else {
      std::ranges::copy(elements_as(constant, dtype), out.begin());
    }
  });
}

}  // namespace fovea::cuda
