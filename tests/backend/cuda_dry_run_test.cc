// The CUDA backend for a device that is not here.
#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/targets.h"
#include "engine/runtime/execution_context.h"

namespace fovea {
namespace {

Graph relu_of_two() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 2}}}, {}, "x");
  graph.mark_output(graph.add(Relu{}, {x}, "y"));
  return graph;
}

TEST(CudaDryRun, CompilesAndCannotBeRun) {
  const auto plan = compile_plan(relu_of_two(), make_cuda_dry_run_backend("sm_90"), {});

  ASSERT_EQ(plan->buckets.front().steps.size(), 1U);
  EXPECT_EQ(plan->buckets.front().steps.front().tactic, "epilogue:activation");
  try {
    const ExecutionContext context(plan);
    FAIL() << "there is no device";
  } catch (const DeviceError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kDeviceNone);
    EXPECT_NE(std::string(error.what()).find("sm_90"), std::string::npos) << error.what();
  }
}

TEST(CudaDryRun, ShowsTheStepThatResizes) {
  Graph graph;
  const Value pixels = graph.add(Input{{DType::kUInt8, {kBatch, 1 << 20}}}, {}, "pixels");
  const Value table = graph.add(Input{{DType::kInt64, {kBatch, 3}}}, {}, "table");
  const PreprocessSpec spec{.height = 224, .width = 224, .interpolation = Interpolation::kBilinear};
  const Value x = graph.add(ResizeImage{spec}, {pixels, table}, "resized");
  graph.mark_output(graph.add(NormalizeImage{}, {x}, "normalized"));

  const auto plan =
      compile_plan(graph, make_cuda_dry_run_backend("sm_90"), {.buckets = {32}, .threads = 1});

  const BucketPlan& bucket = plan->buckets.front();
  ASSERT_EQ(bucket.steps.size(), 1U);
  EXPECT_EQ(bucket.steps.front().tactic, "resize-normalize");
  EXPECT_EQ(bucket.workspace_bytes, std::size_t{32} * 224 * 1'024 * 3);
  EXPECT_LT(bucket.slots[bucket.inputs[1]].layout.bytes, 1'000'000U) << "of the tables";
}

/// Kernels count the elements of what they write in 32 bits: nobody is to find that out from the
/// first run.
TEST(CudaDryRun, RefusesMoreElementsThanKernelsCount) {
  const auto compile = [](const Op& op, std::int64_t batch) {
    Graph graph;
    const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 128, 128, 64}}}, {}, "x");
    graph.mark_output(graph.add(op, {x}, "y"));
    (void)compile_plan(
        graph, make_cuda_dry_run_backend("sm_90"), {.buckets = {batch}, .threads = 1});
  };
  constexpr std::int64_t kMostActivations = (std::int64_t{1} << 31) / (128 * 128 * 64) - 1;
  constexpr std::int64_t kMostPools = 4 * (kMostActivations + 1) - 1;
  const MaxPool pool{.kernel = {2, 2}, .strides = {2, 2}};
  EXPECT_NO_THROW(compile(Relu{}, kMostActivations));
  EXPECT_THROW(compile(Relu{}, kMostActivations + 1), Unsupported);
  EXPECT_NO_THROW(compile(pool, kMostPools));
  EXPECT_THROW(compile(pool, kMostPools + 1), Unsupported);
}

TEST(CudaDryRun, KnowsTheCeilingsOfEveryTarget) {
  ASSERT_FALSE(cuda::targets().empty());
  for (const cuda::Target& target : cuda::targets()) {
    const auto backend = make_cuda_dry_run_backend(target.name);
    const Ceilings ceilings = backend->ceilings().value();

    EXPECT_EQ(backend->name(), "cuda");
    EXPECT_FALSE(ceilings.device.empty());
    EXPECT_GE(backend->memory_info().total_bytes, 16'000'000'000U);
    EXPECT_GT(ceilings.bytes_per_s, 1e11);
    EXPECT_GT(ceilings.half_flops, ceilings.fp32_flops);
    EXPECT_EQ(
        backend->traits().computes_in(Precision::kBf16),
        target.capability >= 80 && make_cuda_emu_backend()->traits().computes_in(Precision::kBf16));
    EXPECT_EQ(ceilings.tf32_flops > 0, target.capability >= 80);
  }
}

/// By the clocks that the driver gives for these products. That of T4 is lower than what its data
/// sheet has the tensor cores run at; H100's has them run slower than its other units.
TEST(CudaDryRun, CeilingsFollowFromClocks) {
  const auto near = [](const cuda::DeviceFacts& facts, std::string_view target) {
    const Ceilings got = cuda::ceilings_of(facts).value();
    const Ceilings& want = cuda::find_target(target).ceilings;
    EXPECT_EQ(got.device, facts.name);
    EXPECT_NEAR(got.bytes_per_s / want.bytes_per_s, 1, 0.01) << target;
    EXPECT_NEAR(got.fp32_flops / want.fp32_flops, 1, 0.08) << target;
    EXPECT_NEAR(got.half_flops / want.half_flops, 1, 0.09) << target;
    // T4 has no such products.
    EXPECT_NEAR(got.tf32_flops, want.tf32_flops, 0.09 * want.tf32_flops) << target;
  };
  near({"Tesla T4", 75, 40, 1.59e9, 5.001e9, 256}, "sm_75");
  near({"NVIDIA A100-SXM4-40GB", 80, 108, 1.41e9, 1.215e9, 5120}, "sm_80");
  near({"NVIDIA A10", 86, 72, 1.695e9, 6.251e9, 384}, "sm_86");
  near({"NVIDIA L40S", 89, 142, 2.52e9, 9.001e9, 384}, "sm_89");
  near({"NVIDIA H100 80GB HBM3", 90, 132, 1.98e9, 2.619e9, 5120}, "sm_90");
  EXPECT_FALSE(cuda::ceilings_of({"of a capability that is not known", 999, 1, 1, 1, 1}));
  EXPECT_FALSE(cuda::ceilings_of({"that does not say its clock", 90, 132, 0, 2.619e9, 5120}));
}

TEST(CudaDryRun, KernelsRunOnTheirDevicesAndLaterOnes) {
  EXPECT_TRUE(cuda::kernels_run_on("90", 90));
  EXPECT_TRUE(cuda::kernels_run_on("90", 100)) << "the driver compiles it";
  EXPECT_FALSE(cuda::kernels_run_on("90", 80));
  EXPECT_TRUE(cuda::kernels_run_on("80-real", 86));
  EXPECT_FALSE(cuda::kernels_run_on("86-real", 80));
  EXPECT_FALSE(cuda::kernels_run_on("80-real", 90));
  EXPECT_TRUE(cuda::kernels_run_on("80-virtual", 90));
  EXPECT_TRUE(cuda::kernels_run_on("75-real,90-real", 90));
  EXPECT_FALSE(cuda::kernels_run_on("75-real,90-real", 80));
  EXPECT_FALSE(cuda::kernels_run_on("", 80));
  EXPECT_TRUE(cuda::kernels_run_on("all-major", 80));
  EXPECT_TRUE(cuda::kernels_run_on("90a", 80)) << "not judged";
}

TEST(CudaDryRun, RefusesAnUnknownTargetAndSaysWhichThereAre) {
  try {
    (void)make_cuda_dry_run_backend("sm_1\n");
    FAIL() << "there is no such target";
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find("sm_75, sm_80"), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace fovea
