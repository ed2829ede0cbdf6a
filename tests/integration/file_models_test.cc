// Models that are files: opened, overridden, saved as packages and opened again.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include <fovea/classifier.h>
#include <fovea/compiler.h>
#include <fovea/model.h>

#include "engine/core/file.h"
#include "tests/support/errors.h"
#include "tests/support/onnx_model.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

class FileModels : public testing::Test {
 protected:
  FileModels() {
    ::setenv("FOVEA_HOME", (folder_.path() / "home").c_str(), 1);
    // The sums of the three colours, as scores of three classes.
    test::OnnxModel model({1, 3, 4, 5});
    model.add_floats("w", {3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
    model.add_node("GlobalAveragePool", {"x"}, "mean");
    model.add_node("Flatten", {"mean"}, "flat");
    model.add_node("Gemm", {"flat", "w"}, "scores");
    model.add_output("scores");
    write_file_atomic(onnx(), std::string_view(model.bytes()));
    std::ofstream(folder_.path() / "labels.txt") << "red\ngreen\nblue\n";
  }

  [[nodiscard]] std::string onnx() const { return folder_.path() / "colours.onnx"; }

  [[nodiscard]] std::string package() const { return folder_.path() / "package"; }

  [[nodiscard]] ModelOptions colours() const {
    ModelOptions options;
    options.mode = Normalization::kUnit;
    options.labels = folder_.path() / "labels.txt";
    return options;
  }

  /// The first prediction for a picture of one colour.
  static Prediction first(const Model& model, std::vector<std::uint8_t> rgb) {
    auto classifier = Classifier::open(model, {.top_k = 1});
    const ImageView view{rgb.data(), 1, 1, 3, PixelFormat::kRgb8};
    const auto results = classifier.classify({&view, 1});
    return results.at(0).predictions.at(0);
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
};

TEST_F(FileModels, AnOnnxFileClassifiesOnceTheModeIsSaid) {
  const Model model = open_model(onnx(), colours());

  const Prediction blue = first(model, {0, 51, 255});

  EXPECT_EQ(blue.label, "blue");
  // Scores 0, 0.2 and 1 go through a softmax, which the file does not have.
  EXPECT_NEAR(blue.probability, std::exp(1.0) / (1.0 + std::exp(0.2) + std::exp(1.0)), 1e-6);
  EXPECT_EQ(model.name(), "colours");
  EXPECT_FALSE(model.notes().empty());
  expect_error(ErrorCode::kArgumentInvalid, "--mode", [&] {
    (void)Classifier::open(open_model(onnx()), {.top_k = 1});
  });
}

TEST_F(FileModels, APackageKeepsWhatTheModelWasOpenedWith) {
  save_package(open_model(onnx(), colours()), package());

  const Model model = open_model(package());

  EXPECT_EQ(first(model, {9, 200, 9}).label, "green");
  ASSERT_TRUE(model.preprocessing().has_value());
  EXPECT_EQ(model.preprocessing()->mode, Normalization::kUnit);
  EXPECT_EQ(model.preprocessing()->height, 4);
  EXPECT_EQ(model.preprocessing()->width, 5);
  EXPECT_TRUE(model.gives_scores());
  EXPECT_EQ(model.labels().size(), 3U);
  EXPECT_EQ(open_model(package() + "/manifest.json").name(), "colours");
  const std::string manifest = read_text_file(package() + "/manifest.json");
  EXPECT_NE(manifest.find("\"height\": 4,"), std::string::npos) << manifest;
  EXPECT_NE(manifest.find("\"width\": 5,"), std::string::npos) << manifest;
}

TEST_F(FileModels, APackageWithAnEmptyLabelFileIsDamaged) {
  save_package(open_model(onnx(), colours()), package());
  std::ofstream(package() + "/labels.json", std::ios::trunc).close();
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  std::ofstream("labels.json") << R"(["a", "b", "c"])";

  expect_error(ErrorCode::kModelCorrupt, "labels.json", [&] { (void)open_model(package()); });

  fs::current_path(before);
}

TEST_F(FileModels, OptionsWinOverAPackage) {
  save_package(open_model(onnx(), colours()), package());
  std::ofstream(folder_.path() / "other.txt") << "rot\ngruen\nblau\n";
  ModelOptions options;
  options.labels = folder_.path() / "other.txt";
  options.interpolation = Interpolation::kBicubic;

  const Model model = open_model(package(), options);

  EXPECT_EQ(first(model, {255, 0, 0}).label, "rot");
  EXPECT_EQ(model.preprocessing()->interpolation, Interpolation::kBicubic);
  EXPECT_EQ(model.preprocessing()->mode, Normalization::kUnit);
}

TEST_F(FileModels, ANetworkOfTheZooBecomesAPackage) {
  const Model zoo = open_model("lenet5");
  save_package(zoo, package());

  const Model model = open_model(package());

  std::vector<std::uint8_t> digit(28 * 28);
  std::iota(digit.begin(), digit.end(), std::uint8_t{0});
  const ImageView view{digit.data(), 28, 28, 28, PixelFormat::kGray8};
  const auto want = Classifier::open(zoo).classify({&view, 1}).at(0);
  const auto got = Classifier::open(model).classify({&view, 1}).at(0);
  ASSERT_EQ(got.predictions.size(), want.predictions.size());
  for (std::size_t i = 0; i < got.predictions.size(); ++i) {
    EXPECT_EQ(got.predictions[i].label, want.predictions[i].label);
    EXPECT_EQ(got.predictions[i].probability, want.predictions[i].probability);
  }
}

TEST_F(FileModels, KeepTheirWeightsWhereNoneAreAskedFor) {
  save_package(open_model("lenet5"), package());

  const Model model = open_model(package(), {.weights = "none"});

  EXPECT_NO_THROW((void)compile(model.graph(), {.backend = "reference", .batch = 1}));
}

/// Before the file is read: it is no model.
TEST_F(FileModels, RefuseWhatAFileDoesNotTake) {
  const std::string file = folder_.path() / "labels.txt";
  expect_error(ErrorCode::kArgumentInvalid, "its own weights", [&] {
    (void)open_model(file, {.weights = "random:1"});
  });
  ModelOptions size;
  size.input_size = {8, 8};
  expect_error(ErrorCode::kArgumentInvalid, "fixed", [&] { (void)open_model(file, size); });
}

TEST_F(FileModels, SayWhyAFileCannotBeReached) {
  const fs::path loop = folder_.path() / "loop.onnx";
  fs::create_symlink(loop, loop);

  expect_error(ErrorCode::kIoRead, "symbolic link", [&] { (void)open_model(loop.native()); });
  expect_error(
      ErrorCode::kIoRead, "symbolic link", [&] { (void)open_model("lenet5", {.weights = loop}); });
}

TEST_F(FileModels, SayThatAFolderMayNotBeSearched) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may search every folder";
  const fs::path closed = folder_.path() / "closed";
  fs::create_directory(closed);
  fs::permissions(closed, fs::perms::none);
  expect_error(ErrorCode::kIoRead, "ermission denied", [&] {
    (void)open_model((closed / "model.onnx").native());
  });
  fs::permissions(closed, fs::perms::owner_all);
}

TEST_F(FileModels, NameWhatIsNotThere) {
  expect_error(ErrorCode::kModelNotFound, "lenet5", [&] { (void)open_model("lenet6"); });
  expect_error(ErrorCode::kModelNotFound, "manifest.json", [&] {
    (void)open_model(folder_.path().native());
  });
}

TEST_F(FileModels, APackageNeverOverwrites) {
  const Model model = open_model(onnx());
  save_package(model, package());

  expect_error(ErrorCode::kIoWrite, "not empty", [&] { save_package(model, package()); });
  EXPECT_EQ(open_model(package()).name(), "colours");
  expect_error(
      ErrorCode::kIoWrite, "cannot create", [&] { save_package(model, onnx() + "/below"); });
}

}  // namespace
}  // namespace fovea
