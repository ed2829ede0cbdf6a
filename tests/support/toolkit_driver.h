// The CUDA toolkit's stub of NVIDIA's driver, for tests of libraries that want to load one.
#pragma once

#include <filesystem>

namespace fovea::test {

/// The folder of the toolkit's libraries.
[[nodiscard]] std::filesystem::path toolkit_libraries();

/// Loads the driver, or where there is none the toolkit's stub of it, which is found as
/// libcuda.so.1 from then on: nothing in it is called as long as no device is used. Whether one of
/// them is there.
[[nodiscard]] bool load_driver();

}  // namespace fovea::test
