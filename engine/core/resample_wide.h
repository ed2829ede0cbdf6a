// The two passes of a separable resampling over 16-bit gray rows.
#pragma once

#include "engine/core/resample_pass.h"

namespace fovea {

/// As ResampleKernels::horizontal, for native-endian 16-bit values, with the weights in double;
/// sums are rounded half away from zero and cut to 0 to 65,535.
void horizontal_wide(ConstRows in, int rows, const ResampleAxis& axis, MutableRows out);

/// As ResampleKernels::vertical; `width` values a row.
void vertical_wide(ConstRows in, int width, const ResampleAxis& axis, MutableRows out);

}  // namespace fovea
