// A file of cuBLASLt's name with nothing behind it, for tests of how the file is found. Built for
// several versions.
#include <cstddef>

// NOLINTBEGIN(readability-identifier-naming): cuBLASLt's name
extern "C" std::size_t cublasLtGetVersion() {
  return FOVEA_FAKE_VERSION;
}

// NOLINTEND(readability-identifier-naming)
