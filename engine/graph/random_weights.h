// Weights and pictures that any program can make from a seed, bit for bit the same.
//
// Element i of the tensor NAME is a counter-based splitmix64: with g = 0x9E3779B97F4A7C15, modulo
// 2^64, z = (FNV-1a 64 of NAME ^ SEED * g) + (i + 1) * g, then the mixing steps of splitmix64.
// Sources: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014;
// Fowler, Noll and Vo's hash, FNV-1a, 64 bits.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/graph/graph.h"

namespace fovea {

/// FNV-1a 64 of the bytes of the text.
[[nodiscard]] std::uint64_t fnv1a64(std::string_view text);

/// The 64 bits of element `index` of the tensor `name`.
[[nodiscard]] std::uint64_t random_bits(std::string_view name,
                                        std::uint64_t seed,
                                        std::uint64_t index);

/// values[i] = float32(lo + (hi - lo) * u), u in [0, 1) the upper 24 bits of element i; every step
/// is rounded to double.
void fill_uniform(
    std::string_view name, std::uint64_t seed, double lo, double hi, std::span<float> values);

/// The picture "formula:width:height:seed": RGB bytes, rows packed; byte i is the upper 8 bits of
/// element i of the tensor called "formula". Throws InvalidArgument unless both sides are >= 1.
[[nodiscard]] std::vector<std::uint8_t> formula_image(int width, int height, std::uint64_t seed);

/// Gives every Constant without data random values: "random:SEED". The range follows from the
/// operator that uses the parameter, directly or through Transpose, Reshape and Identity; values
/// fill the parameter's own stored shape, under its own name:
///
///   Conv2d, Dense  kernel    +-sqrt(6 / fan_in), fan_in the inputs of one output element;
///                            times `head` for the last Conv2d or Dense of the graph
///   Conv2d         kernel    +-sqrt(3 / (rows * columns)) where a group has one channel of several
///   Conv2d, Dense  bias      +-0.05
///   BatchNorm      gamma     [0.1, 0.3] where an Add takes its result directly, else [0.8, 1.2]
///   BatchNorm      beta, mean  +-0.1
///   BatchNorm      variance  [0.8, 1.2]
///   Mul, Add       parameter   as gamma ([0.8, 1.2]) and as beta
///
/// head  > 0, from the model's manifest: keeps the classifier's softmax neither flat nor saturated
/// Parameters that nothing uses stay without data. Throws Unsupported, naming the parameter, where
/// another operator uses it. Needs the graph as it was built, before any pass.
void fill_random_weights(Graph& graph, std::uint64_t seed, double head);

}  // namespace fovea
