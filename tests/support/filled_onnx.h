// Complete ONNX files out of "light" ones, whose weights are only declared.
#pragma once

#include <cstdint>
#include <filesystem>

namespace fovea::test {

/// Writes the ONNX model `light` to `filled` with "random:SEED" weights (engine/graph/
/// random_weights.h): every float32 tensor that an operator uses as a parameter, whether an
/// initializer or what a ConstantOfShape node makes, becomes an initializer under its own name and
/// shape. Reshape and Unsqueeze pass a parameter on.
///
///   Conv, Gemm          kernel, bias; `head` for the kernel of the last one
///   BatchNormalization  gamma, beta, mean, variance; a small gamma in front of an Add or Sum
///   Mul, Add            a parameter as gamma and as beta: Caffe's Scale
///
/// Throws std::runtime_error for a file that cannot be read or written, or is not such a model.
void write_filled_onnx(const std::filesystem::path& light,
                       std::uint64_t seed,
                       double head,
                       const std::filesystem::path& filled);

}  // namespace fovea::test
