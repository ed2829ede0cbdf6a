#include "tests/support/toolkit_driver.h"

#include "engine/core/shared_library.h"

// NOLINTBEGIN(readability-identifier-naming): LeakSanitizer's name
/// LeakSanitizer asks the program, once, which leaks are not its own. Without a device
/// cublasLtCreate fails and keeps what it has allocated; cuDNN's heuristics call it too.
extern "C" const char* __lsan_default_suppressions();

extern "C" const char* __lsan_default_suppressions() {
  return "leak:^cublasLtCreate$\n";
}

// NOLINTEND(readability-identifier-naming)

namespace fovea::test {

std::filesystem::path toolkit_libraries() {
  return FOVEA_TOOLKIT_LIBRARIES;
}

bool load_driver() {
  // Loaded as a file it is found by its name.
  const std::filesystem::path stub = toolkit_libraries() / "stubs" / "libcuda.so";
  return SharedLibrary::find({"libcuda.so.1", stub.string()}).has_value();
}

}  // namespace fovea::test
