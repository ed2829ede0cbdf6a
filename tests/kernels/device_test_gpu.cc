// The one run of a GPU.
#include <cstdlib>
#include <string>

#include "tests/kernels/device_test.h"

namespace fovea::test {

int device_runs() {
  return 1;
}

void prepare_device(int /*run*/) {
  if (cuda::device_count() > 0) return;
  const char* required = std::getenv("FOVEA_REQUIRE_GPU");
  if (required != nullptr && std::string(required) == "1") {
    FAIL() << "FOVEA_REQUIRE_GPU=1, and no CUDA device can be used";
  }
  GTEST_SKIP() << "no CUDA device can be used";
}

}  // namespace fovea::test
