// The bounds that every decoder checks before it allocates.
#pragma once

#include <cstdint>
#include <string_view>

#include <fovea/image.h>

namespace fovea {

/// Throws Error: image/corrupt for a side below 1, image/too-large for a side or a number of pixels
/// beyond the limits. `format` opens the message ("PNG").
void check_picture_size(std::string_view format,
                        std::int64_t width,
                        std::int64_t height,
                        const DecodeLimits& limits);

}  // namespace fovea
