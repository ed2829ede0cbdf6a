// The processor's widest multiply-adds, as fast as they go.
#pragma once

#include <cstdint>

namespace fovea::app {

/// Works on registers alone, `repeats` times some instructions that do not wait for each other.
/// Returns how many float32 multiply-adds that were; 0 where there is no code for this processor.
[[nodiscard]] double run_multiply_adds(std::int64_t repeats);

/// The same for products of bf16 that are summed in float32. 0 also where the processor has more
/// (AMX) than there is code for here.
[[nodiscard]] double run_bf16_multiply_adds(std::int64_t repeats);

}  // namespace fovea::app
