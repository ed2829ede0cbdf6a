// The element type that a network is computed in.
#pragma once

#include <cstdint>
#include <string_view>

namespace fovea {

/// Everywhere but for kFp32, inputs, results and the layers around them stay float32; see
/// CompileOptions::precision.
enum class Precision : std::uint8_t {
  kFp32,  ///< float32, and no product is computed in less
  kTf32,  ///< float32 tensors; products of values cut to 10 bits of fraction
  kFp16,  ///< float16 tensors, sums in float32
  kBf16,  ///< bfloat16 tensors, sums in float32
  kInt8,  ///< integers on a grid per channel
};

/// "fp32", "tf32", "fp16", "bf16", "int8".
[[nodiscard]] std::string_view to_string(Precision precision);

/// The precision of that text. Throws InvalidArgument for any other text.
[[nodiscard]] Precision parse_precision(std::string_view text);

}  // namespace fovea
