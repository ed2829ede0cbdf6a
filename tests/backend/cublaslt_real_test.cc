// cuBLASLt itself, as far as it goes without a device.
#include <cstdlib>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cublaslt_file.h"
#include "engine/backend/cuda/cublaslt_product.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/passes/constants.h"
#include "tests/backend/tactic_slices.h"
#include "tests/support/toolkit_driver.h"

namespace fovea::cuda {
namespace {

class RealCublasLt : public testing::Test {
 protected:
  void SetUp() override {
    if (std::filesystem::exists(test::toolkit_libraries() / "libcublasLt.so.13")) {
      (void)setenv(env::kCublasLtFolder.name, test::toolkit_libraries().c_str(), /*overwrite=*/0);
    }
    try {
      library_ = load_cublaslt();
    } catch (const Unsupported& error) {
      GTEST_SKIP() << error.what();
    }
  }

  std::shared_ptr<const CublasLtLibrary> library_;
};

TEST_F(RealCublasLt, HasEveryFunctionAndAVersion) {
  const std::size_t version = load_cublaslt_file().version;

  EXPECT_GE(version, 120'000U);
  EXPECT_EQ(library_->version, load_cublaslt_file().version_text());
  EXPECT_STREQ(library_->status_name(CUBLAS_STATUS_NOT_SUPPORTED), "CUBLAS_STATUS_NOT_SUPPORTED");
}

TEST_F(RealCublasLt, TakesEveryDescription) {
  alignas(16) const std::byte bias{};
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    for (const bool has_bias : {false, true}) {
      for (const bool relu : {false, true}) {
        const CublasLtProduct product{.dtype = dtype,
                                      .rows = 32,
                                      .inputs = 4096,
                                      .outputs = 1000,
                                      .x = {.row_stride = 4096},
                                      .y = {.row_stride = 1000},
                                      .bias = has_bias,
                                      .relu = relu,
                                      .tf32 = dtype == DType::kFloat32 && relu};
        EXPECT_NO_THROW((void)make_operation(*library_, product, has_bias ? &bias : nullptr))
            << to_string(product);
      }
    }
  }
}

TEST_F(RealCublasLt, SaysThatThereIsNoDevice) {
  try {
    (void)make_handle(*library_);
    GTEST_SKIP() << "there is a device";
  } catch (const CublasLtError& error) {
    EXPECT_STREQ(error.what(), "cuBLASLt: creating a handle: CUBLAS_STATUS_NOT_INITIALIZED");
    EXPECT_EQ(error.code(), ErrorCode::kDeviceFailed);
  }
}

/// A layer of 32 rows, for which plans without a device name cuBLASLt.
TEST_F(RealCublasLt, PlansForATargetNameIt) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {32, 64}}}, {}, "x");
  const Value w = graph.add(make_constant({10, 64}, test::random_floats(640, 1)), {}, "weights");
  graph.mark_output(graph.add(Dense{}, {x, w}, "op"), "y");

  const auto plan = compile_plan(graph, make_cuda_dry_run_backend("sm_90"), {});

  ASSERT_EQ(plan->buckets.front().steps.size(), 1U);
  EXPECT_EQ(plan->buckets.front().steps.front().tactic, "cublaslt:best-1");
  EXPECT_NE(
      plan->backend->fingerprint().find("cuBLASLt " + library_->version + " without a device"),
      std::string::npos)
      << plan->backend->fingerprint();
}

}  // namespace
}  // namespace fovea::cuda
