// A file of cuDNN's names with nothing behind them, for tests of how the files are found. Built for
// several versions.
#include <cstddef>

// NOLINTBEGIN(readability-identifier-naming): cuDNN's names
extern "C" {

std::size_t cudnnGetVersion() {
  return FOVEA_FAKE_VERSION;
}

std::size_t cudnnGetCudartVersion() {
  return 99000;  // no NVRTC is of that version
}

int cudnnGraphVersionCheck() {
  return 0;
}

int cudnnOpsVersionCheck() {
  return FOVEA_FAKE_CHECK;
}

int cudnnCnnVersionCheck() {
  return 0;
}
}
// NOLINTEND(readability-identifier-naming)
