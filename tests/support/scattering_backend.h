// A backend that makes trouble for whoever places values: for tests of the compiler.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/backend/backend.h"

namespace fovea::test {

/// Evaluates every operator by its definition, on values that lie anywhere: dense, in channel
/// slices, or in an opaque format (the elements backwards, between bytes of rubbish). Its tactics
/// read and write what the seed and the node's name say, and take over any input's buffer that they
/// may. Memory is rubbish until it is written, and so is the workspace behind every step. What
/// comes out is bit for bit what evaluate() gives, or something was placed wrongly.
[[nodiscard]] std::unique_ptr<Backend> make_scattering_backend(std::uint64_t seed);

}  // namespace fovea::test
