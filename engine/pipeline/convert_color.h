// Pictures in the colour mode that a network wants.
#pragma once

#include <fovea/image.h>

namespace fovea {

/// A copy of the picture as RGB or 8-bit gray, by Pillow's formulas: gray becomes three equal
/// channels, RGB becomes luma. Throws InvalidArgument for a 16-bit picture, which neither is.
[[nodiscard]] Image convert_color(const ImageView& image, ColorMode color);

}  // namespace fovea
