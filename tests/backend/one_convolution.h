// Networks of a single convolution, for tests of its tactics.
#pragma once

#include <array>
#include <cstdint>

#include "engine/graph/graph.h"

namespace fovea::test {

inline constexpr Activation kRelu{.kind = ActivationKind::kRelu};
inline constexpr Activation kClip{.kind = ActivationKind::kClip, .lo = -3.0F, .hi = 6.0F};

/// "x", and "residual" where the convolution adds one, to "y". Weights and bias are float32 from
/// [-2, 2), by the seed and the one after it.
///
/// picture   batch, rows, columns, channels; kBatch stays open
/// kernel    rows, columns
/// type      of the pictures
[[nodiscard]] Graph one_convolution(const Shape& picture,
                                    std::array<std::int64_t, 2> kernel,
                                    std::int64_t filters,
                                    const Conv2d& conv,
                                    std::uint64_t seed,
                                    DType type = DType::kFloat32);

}  // namespace fovea::test
