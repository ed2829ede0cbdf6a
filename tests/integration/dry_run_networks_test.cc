// Every network of the zoo in every floating-point precision, compiled for a GPU that need not be
// here; and the table of docs/compiler.md that shows it.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/dry_run.h>

#include "engine/core/file.h"
#include "engine/core/joined.h"
#include "engine/core/require.h"
#include "models/builders/zoo.h"

namespace fovea {
namespace {

constexpr std::array kPrecisions{
    Precision::kFp32, Precision::kTf32, Precision::kFp16, Precision::kBf16};

/// Libraries, and kernels of ours, by the first word of their tactics' names. A convolution of ours
/// is not among them: cuDNN has an engine for every convolution of the zoo.
constexpr std::array<std::string_view, 15> kFamilies{"cast",
                                                     "copy",
                                                     "cublaslt",
                                                     "cudnn",
                                                     "dense",
                                                     "dense-few-rows",
                                                     "depthwise",
                                                     "epilogue",
                                                     "global-pool",
                                                     "lrn",
                                                     "normalize",
                                                     "pool",
                                                     "resize-normalize",
                                                     "separable",
                                                     "softmax-top-k"};

DryRun compiled(std::string_view network, Precision precision) {
  CompileOptions options;
  options.precision = precision;
  options.buckets = {32};
  return dry_run(open_model(std::string(network), {.weights = "random"}), options, "sm_90");
}

void expect_computed_by_libraries_and_own_kernels(const DryRunBucket& bucket) {
  EXPECT_FALSE(bucket.steps.empty());
  for (const DryRunStep& step : bucket.steps) {
    const std::string family = step.tactic.substr(0, step.tactic.find(':'));
    EXPECT_NE(std::ranges::find(kFamilies, family), kFamilies.end())
        << step.name << " is computed by " << step.tactic;
    EXPECT_GT(step.bytes, 0U) << step.name;
    EXPECT_GT(step.floor_us, 0) << step.name;
  }
}

class DryRunNetworks : public testing::TestWithParam<zoo::Model> {};

TEST_P(DryRunNetworks, AreComputedByLibrariesAndOwnKernelsInEveryPrecision) {
  std::vector<std::string> launches;
  for (const Precision precision : kPrecisions) {
    SCOPED_TRACE(to_string(precision));
    const DryRun plan = compiled(GetParam().name, precision);
    if (plan.compiled_for.find("cuDNN") == std::string::npos) {
      GTEST_SKIP() << "without cuDNN: " << plan.compiled_for;
    }
    const DryRunBucket& bucket = plan.buckets.at(0);
    expect_computed_by_libraries_and_own_kernels(bucket);
    launches.push_back(cat(bucket.launches));
  }
  const std::string row = cat("| ", GetParam().name, " | ", joined(launches, " / "), " |");
  EXPECT_NE(read_text_file(FOVEA_SOURCE_DIR "/docs/compiler.md").find(row), std::string::npos)
      << row << "\nmake the table anew: docs/update_cuda_table.sh";
}

INSTANTIATE_TEST_SUITE_P(Zoo,
                         DryRunNetworks,
                         testing::ValuesIn(zoo::models().begin(), zoo::models().end()),
                         [](const auto& model) { return std::string(model.param.name); });

}  // namespace
}  // namespace fovea
