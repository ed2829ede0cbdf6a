// What measured times of the CUDA backend are kept under.
#include <string>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/device.h"

namespace fovea {
namespace {

TEST(CudaFingerprint, NamesTheDeviceAndTheKernels) {
  const auto backend = make_cuda_emu_backend();
  const std::string text = backend->fingerprint();

  EXPECT_TRUE(text.starts_with(std::string(backend->name()) + "; " + cuda::description())) << text;
  EXPECT_NE(text.find("; kernels "), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
}

}  // namespace
}  // namespace fovea
