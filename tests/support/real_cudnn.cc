#include "tests/support/real_cudnn.h"

#include <cstdlib>
#include <filesystem>

#include "engine/backend/cuda/cudnn_files.h"
#include "engine/core/file.h"
#include "engine/core/require.h"
#include "tests/support/toolkit_driver.h"

namespace fovea::test {

std::shared_ptr<const cuda::CudnnLibrary> real_cudnn(std::string& why) {
  static const bool kPrepared = [] {
    const std::filesystem::path toolkit = toolkit_libraries();
    if (std::filesystem::exists(toolkit / "libcudnn_graph.so.9")) {
      (void)setenv(env::kCudnnFolder.name, toolkit.c_str(), /*overwrite=*/0);
    }
    return load_driver();
  }();
  if (!kPrepared) {
    why = "there is neither NVIDIA's driver nor the toolkit's stub of it";
    return nullptr;
  }
  try {
    return cuda::load_cudnn();
  } catch (const Unsupported& error) {
    why = error.what();
    return nullptr;
  }
}

std::string sm_90_properties() {
  return read_text_file(std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/golden/cudnn/sm_90.json");
}

}  // namespace fovea::test
