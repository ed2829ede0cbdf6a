// Plans of cuDNN itself for a device that is not here: what its documentation leaves open and the
// code relies on.
#include <algorithm>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cudnn_plans.h"
#include "engine/core/require.h"
#include "tests/support/errors.h"
#include "tests/support/real_cudnn.h"

namespace fovea::cuda {
namespace {

/// 3x3, 64 channels of 56x56 pixels, with bias and ReLU.
CudnnConvolution layer(DType dtype) {
  return {.dtype = dtype,
          .n = 8,
          .h = 56,
          .w = 56,
          .c = 64,
          .out_h = 56,
          .out_w = 56,
          .out_c = 64,
          .kernel = {3, 3},
          .pads = {1, 1, 1, 1},
          .x = {.pixel_stride = 64},
          .y = {.pixel_stride = 64},
          .bias = CudnnBias::kOutputType,
          .activation = ActivationKind::kRelu};
}

class RealCudnn : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    library_ = test::real_cudnn(why);
    if (library_ == nullptr) GTEST_SKIP() << why;
  }

  [[nodiscard]] std::unique_ptr<CudnnPlans> make_plans() const {
    return std::make_unique<CudnnPlans>(library_,
                                        CudnnDevice{.properties = test::sm_90_properties()});
  }

  std::shared_ptr<const CudnnLibrary> library_;
};

/// The first candidate that needs no compiler.
const CudnnCandidate& first_compiled(const CudnnCandidates& candidates) {
  const auto found = std::ranges::find_if(
      candidates.best, [](const auto& candidate) { return !candidate.compiles_kernels; });
  require(found != candidates.best.end(), "there is one");
  return *found;
}

TEST_F(RealCudnn, ConfigurationsSayWhatWorkspaceTheirPlansNeed) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    CudnnConvolution convolution = layer(dtype);
    convolution.tf32 = dtype == DType::kFloat32;
    const auto all = make_plans();
    const auto candidates = all->candidates(convolution);
    ASSERT_GE(candidates->best.size(), 3U) << to_string(convolution);
    for (const CudnnCandidate& candidate : candidates->best) {
      if (candidate.compiles_kernels) continue;
      EXPECT_EQ(all->plan(convolution, candidate.engine)->workspace_bytes(),
                candidate.workspace_bytes)
          << to_string(candidate.engine);
    }
  }
}

TEST_F(RealCudnn, StrictFloat32HasEnginesWithoutTensorCores) {
  const auto all = make_plans();

  const auto strict = all->candidates(layer(DType::kFloat32));

  ASSERT_FALSE(strict->best.empty() && strict->fallback.empty());
  const auto is_cut = [](const std::string& refusal) {
    return refusal.ends_with("multiplies float32 in fewer bits");
  };
  EXPECT_TRUE(std::ranges::any_of(strict->refusals, is_cut));
  CudnnConvolution tf32 = layer(DType::kFloat32);
  tf32.tf32 = true;
  EXPECT_TRUE(std::ranges::none_of(all->candidates(tf32)->refusals, is_cut));
}

TEST_F(RealCudnn, PlansAreSavedAndLoaded) {
  const auto maker = make_plans();
  const CudnnConvolution convolution = layer(DType::kFloat16);
  const CudnnCandidate candidate = first_compiled(*maker->candidates(convolution));
  const auto plan = maker->plan(convolution, candidate.engine);
  SavedState state;
  save({.asked = convolution,
        .engine = {.candidate = candidate, .rank = 0},
        .plans = {{convolution, plan}}},
       state);
  ASSERT_EQ(state.size(), 2U) << "the engine, and its plan as text";

  const auto loader = make_plans();
  loader->restore(state);
  ASSERT_EQ(loader->saved().engines(convolution).size(), 1U);
  const auto loaded = loader->plan(convolution, candidate.engine);
  EXPECT_EQ(loaded->workspace_bytes(), plan->workspace_bytes());
  EXPECT_EQ(loaded->json(), plan->json());
  EXPECT_TRUE(loader->notices().empty());

  for (auto& [key, text] : state) {
    if (key.starts_with("plan of ")) text = "{}";
  }
  const auto rebuilder = make_plans();
  rebuilder->restore(state);
  EXPECT_EQ(rebuilder->plan(convolution, candidate.engine)->json(), plan->json());
  EXPECT_EQ(rebuilder->notices().size(), 1U);
}

/// Whether the strides are kept to is for a device to say (keeps_other_channels). An engine that
/// cannot write them takes the workspace of a dense result and copies by itself.
TEST_F(RealCudnn, AnEngineOfADenseOutputTakesASlice) {
  const auto all = make_plans();
  const CudnnConvolution dense = layer(DType::kFloat16);
  CudnnConvolution sliced = dense;
  sliced.y.pixel_stride = 256;
  const auto of_dense = all->candidates(dense);
  const auto of_slice = all->candidates(sliced);

  const auto candidate = first_compiled(*of_slice);
  EXPECT_EQ(all->plan(sliced, candidate.engine)->workspace_bytes(), candidate.workspace_bytes);
  std::size_t built = 0;
  for (const CudnnCandidate& other : of_dense->best) {
    if (other.compiles_kernels) continue;
    EXPECT_NE(all->plan(sliced, other.engine), nullptr);
    ++built;
  }
  EXPECT_GT(built, 0U);
}

TEST_F(RealCudnn, RefusalsHaveAReason) {
  const auto all = make_plans();
  const auto refusal_of = [&](std::int64_t index) {
    return test::error_of([&] { (void)all->plan(layer(DType::kFloat16), {index, {}}); });
  };

  std::size_t refused = 0;
  std::size_t told = 0;
  for (std::int64_t index = 0; index < 8; ++index) {
    const std::string error = refusal_of(index);
    if (error.empty()) continue;
    ++refused;
    // "device/failed: cuDNN: choosing an engine: CUDNN_STATUS_X: the reason"
    told += std::ranges::count(error, ':') >= 4 ? 1U : 0U;
  }
  EXPECT_GT(refused, 0U);
  EXPECT_EQ(told, refused);
}

TEST_F(RealCudnn, PropertiesThatLackAMemberAreNamed) {
  test::expect_error(ErrorCode::kDeviceFailed, "HasMember", [&] {
    (void)CudnnPlans(library_, CudnnDevice{.properties = "{}"});
  });
}

TEST_F(RealCudnn, TakesWhatNoNetworkOfTheZooHas) {
  CudnnConvolution odd = layer(DType::kFloat16);
  odd.pads = {0, 0, 1, 1};
  odd.strides = {2, 2};
  odd.out_h = odd.out_w = 28;
  EXPECT_EQ(make_graph(*library_, odd, nullptr).engine_count(), 61);
  odd.activation = ActivationKind::kClip;
  odd.hi = 6;
  EXPECT_EQ(make_graph(*library_, odd, nullptr).engine_count(), 61);
  odd.lo = -3;
  EXPECT_EQ(make_graph(*library_, odd, nullptr).engine_count(), 11);
  odd.activation = ActivationKind::kSigmoid;
  odd.lo = odd.hi = 0;
  EXPECT_EQ(make_graph(*library_, odd, nullptr).engine_count(), 61);
  odd.groups = 64;
  EXPECT_EQ(make_graph(*library_, odd, nullptr).engine_count(), 61);
  odd.groups = 1;
  odd.residual = true;
  odd.z.pixel_stride = 64;
  EXPECT_EQ(make_graph(*library_, odd, nullptr).engine_count(), 61);
  odd.z.pixel_stride = 128;
  EXPECT_EQ(make_graph(*library_, odd, nullptr).engine_count(), 11)
      << "site_tactics() relies on it that this is the only way to count otherwise";
}

}  // namespace
}  // namespace fovea::cuda
