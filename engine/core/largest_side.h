// How large pictures may be.
#pragma once

namespace fovea {

/// The most pixels that a side of a picture may have, before it is resized and afterwards.
inline constexpr int kLargestSide = 16'384;

}  // namespace fovea
