// Picture files that are read before they are measured.
#pragma once

#include <string>
#include <vector>

#include <fovea/image.h>

#include "apps/fovea/bench_target.h"

namespace fovea::app {

/// The JPEG files of a folder and of those in it, in the order of their paths. What is no JPEG file
/// is left out, and so is what would take more than 1 GiB of memory; both are said on standard
/// error. Throws io/read, argument/invalid where there is no JPEG file.
[[nodiscard]] std::vector<StoredPicture> read_jpegs(const std::string& folder);

/// The pictures of a folder, decoded; likewise. Throws what decode() throws, naming the file.
[[nodiscard]] std::vector<StoredPicture> read_pixels(const std::string& folder, ColorMode color);

}  // namespace fovea::app
