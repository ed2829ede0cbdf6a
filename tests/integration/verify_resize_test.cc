// fovea::verify on a network that resizes its pictures itself, and on outputs of other shapes.
#include <filesystem>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include <fovea/model.h>
#include <fovea/verify.h>

#include "engine/core/file.h"
#include "engine/importers/package.h"

namespace fovea {
namespace {

/// Two crops of every picture; where `shares`, both are seen, else the second one is left over.
Graph two_crops(bool shares) {
  Graph graph;
  const Value pixels = graph.add(Input{{DType::kUInt8, {30'000}}}, {}, "pixels");
  const Value table = graph.add(Input{{DType::kInt64, {kBatch, 3}}}, {}, "table");
  const auto crop = [&](int shorter_side, const std::string& name) {
    const PreprocessSpec spec{.height = 8,
                              .width = 8,
                              .interpolation = Interpolation::kBilinear,
                              .fit = Fit::kCentreCrop,
                              .shorter_side = shorter_side};
    const Value resized = graph.add(ResizeImage{spec}, {pixels, table}, name);
    return graph.add(NormalizeImage{normalization_constants(Normalization::kTf)},
                     {resized},
                     name + "/normalized");
  };
  const Value narrow = crop(16, "narrow");
  const Value wide = crop(8, "wide");
  const Value y = shares ? graph.add(Add{}, {narrow, wide}, "sum") : narrow;
  graph.mark_output(graph.add(Relu{}, {y}, "relu"));
  return graph;
}

class VerifyResize : public testing::TestWithParam<bool> {};

TEST_P(VerifyResize, ComparesAndBisects) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  Package package;
  package.graph = two_crops(GetParam());
  package.manifest.name = "crops";
  package.manifest.input = "pixels";
  package.manifest.outputs = {{"relu", OutputKind::kOther}};
  save_package(folder.path() / "crops", package);
  const Model model = open_model((folder.path() / "crops").native());

  for (const char* backend : {"cpu", "reference"}) {
    VerifyOptions options{.pictures = 3, .bisect_passes = true};
    options.compile.backend = backend;

    const Verification result = verify(model, options);

    EXPECT_TRUE(result.ok) << backend << ": " << result.first_failed << result.failed_pass;
    EXPECT_EQ(result.outputs.size(), 1U);
    EXPECT_FALSE(result.top1_agreement) << "maps of pixels are no rows of scores";
  }
}

/// As networks give them that end with a convolution of one pixel.
TEST(VerifyScores, AreRowsAsAClassifierTakesThem) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  Package package;
  const Value image = package.graph.add(Input{{DType::kFloat32, {kBatch, 7, 1, 1}}}, {}, "image");
  package.graph.mark_output(package.graph.add(Relu{}, {image}, "relu"));
  package.manifest.name = "pixel";
  package.manifest.input = "image";
  package.manifest.outputs = {{"relu", OutputKind::kOther}};
  save_package(folder.path() / "pixel", package);

  const auto agreement = verify(open_model((folder.path() / "pixel").native())).top1_agreement;

  EXPECT_EQ(agreement, std::optional<double>(1));
}

INSTANTIATE_TEST_SUITE_P(Crops, VerifyResize, testing::Bool(), [](const auto& test) {
  return test.param ? "BothSeen" : "OneLeftOver";
});

}  // namespace
}  // namespace fovea
