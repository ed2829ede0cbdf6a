#include "tests/support/real_cudnn.h"

#include <cstdlib>
#include <filesystem>

#include "engine/backend/cuda/cudnn_files.h"
#include "engine/core/file.h"
#include "engine/core/require.h"

/// LeakSanitizer asks the program, once, which leaks are not its own. cuDNN's heuristics make
/// cuBLASLt handles, and without a device cublasLtCreate fails and keeps what it has allocated.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:^cublasLtCreate$\n"; }

namespace fovea::test {

std::shared_ptr<const cuda::CudnnLibrary> real_cudnn(std::string& why) {
  static const bool kPrepared = [] {
    const std::filesystem::path toolkit(FOVEA_TOOLKIT_LIBRARIES);
    if (std::filesystem::exists(toolkit / "libcudnn_graph.so.9")) {
      (void)setenv(env::kCudnnFolder.name, toolkit.c_str(), /*overwrite=*/0);
    }
    // Loaded as a file it is found by its name, libcuda.so.1, from then on.
    return SharedLibrary::find({"libcuda.so.1", (toolkit / "stubs" / "libcuda.so").string()})
        .has_value();
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
