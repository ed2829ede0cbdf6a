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

TEST(CudaDryRun, KnowsTheCeilingsOfEveryTarget) {
  ASSERT_FALSE(cuda::targets().empty());
  for (const cuda::Target& target : cuda::targets()) {
    const auto backend = make_cuda_dry_run_backend(target.name);
    const Ceilings ceilings = backend->ceilings().value();

    EXPECT_EQ(backend->name(), "cuda");
    EXPECT_FALSE(ceilings.device.empty());
    EXPECT_GT(ceilings.bytes_per_s, 1e11);
    EXPECT_GT(ceilings.half_flops, ceilings.fp32_flops);
    EXPECT_EQ(
        backend->traits().computes_in(Precision::kBf16),
        target.capability >= 80 && make_cuda_emu_backend()->traits().computes_in(Precision::kBf16));
    EXPECT_EQ(ceilings.tf32_flops > 0, target.capability >= 80);
  }
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
