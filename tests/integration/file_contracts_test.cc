// Contracts and labels against the networks of files: which fit, and what a classifier makes of
// them.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/classifier.h>

#include "engine/core/file.h"
#include "tests/support/errors.h"
#include "tests/support/onnx_model.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::OnnxModel;

class FileContracts : public testing::Test {
 protected:
  FileContracts() { ::setenv("FOVEA_HOME", (folder_.path() / "home").c_str(), 1); }

  /// A network whose class scores are the means of its channels, for pictures of these dimensions
  /// (N, C, H, W). Its values are called `first` and "scores".
  static OnnxModel channel_means(const std::vector<std::int64_t>& dims,
                                 const char* first = "mean") {
    OnnxModel model(dims);
    model.add_node("GlobalAveragePool", {"x"}, first);
    model.add_node("Flatten", {first}, "scores");
    model.add_output("scores");
    return model;
  }

  [[nodiscard]] std::string write(const OnnxModel& model) const {
    const std::string file = folder_.path() / ("m" + std::to_string(files_++) + ".onnx");
    write_file_atomic(file, std::string_view(model.bytes()));
    return file;
  }

  [[nodiscard]] std::string labels(int count) const {
    const std::string file = folder_.path() / "labels.txt";
    std::ofstream stream(file);
    for (int i = 0; i < count; ++i) stream << "class " << i << "\n";
    return file;
  }

  static ModelOptions unit() {
    ModelOptions options;
    options.mode = Normalization::kUnit;
    return options;
  }

  /// Predictions for a picture of one colour.
  static std::vector<Prediction> classify(const Model& model,
                                          std::vector<std::uint8_t> rgb,
                                          std::optional<int> top_k = std::nullopt) {
    auto classifier = Classifier::open(model, {.top_k = top_k});
    const ImageView view{rgb.data(), 1, 1, 3, PixelFormat::kRgb8};
    return classifier.classify({&view, 1}).at(0).predictions;
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  mutable int files_ = 0;
};

/// Three channels, rows and columns: the shape does not tell which is which.
TEST_F(FileContracts, TheImporterSaysWhereTheChannelsAre) {
  const Model model = open_model(write(channel_means({-1, 3, 3, 3})), unit());

  EXPECT_EQ(classify(model, {0, 0, 255}).at(0).index, 2);
  EXPECT_EQ(classify(model, {0, 255, 0}).at(0).index, 1);
  EXPECT_EQ(classify(model, {255, 0, 0}).at(0).index, 0);

  save_package(model, (folder_.path() / "package").native());
  const Model again = open_model((folder_.path() / "package").native());
  EXPECT_EQ(classify(again, {0, 0, 255}).at(0).index, 2);
}

TEST_F(FileContracts, ASideHasALargestSize) {
  const Model largest = open_model(write(channel_means({-1, 3, 16'384, 1})), unit());
  EXPECT_EQ(largest.preprocessing().value().height, 16'384);

  for (const std::int64_t side : {std::int64_t{16'385}, (std::int64_t{1} << 32) + 4}) {
    for (const bool wide : {false, true}) {
      const std::string file = write(channel_means({-1, 3, wide ? 4 : side, wide ? side : 4}));
      expect_error(ErrorCode::kArgumentInvalid, "16384", [&] { (void)open_model(file, unit()); });
      EXPECT_EQ(open_model(file).inputs().size(), 1U);
    }
  }
}

TEST_F(FileContracts, AModelMayUseTheNamesOfTheHeadAndTail) {
  const Model plain = open_model(write(channel_means({-1, 3, 2, 2})), unit());
  const std::vector<Prediction> want = classify(plain, {9, 99, 60});
  ASSERT_EQ(want.size(), 3U);
  for (const char* name : {"pixels",
                           "picture_table",
                           "resized_pictures",
                           "normalized_pictures",
                           "channels_first_pictures",
                           "class_scores",
                           "class_probabilities",
                           "top_classes",
                           "top_classes_",
                           "values",
                           "indices"}) {
    SCOPED_TRACE(name);

    const Model model = open_model(write(channel_means({-1, 3, 2, 2}, name)), unit());

    const std::vector<Prediction> got = classify(model, {9, 99, 60});
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(got[i].index, want[i].index);
      EXPECT_EQ(got[i].probability, want[i].probability);
    }
  }
}

TEST_F(FileContracts, FivePredictionsOrAllOfFewerClasses) {
  const Model three = open_model(write(channel_means({-1, 3, 2, 2})), unit());

  EXPECT_EQ(classify(three, {1, 2, 3}).size(), 3U);
  EXPECT_EQ(classify(three, {1, 2, 3}, 2).size(), 2U);
  EXPECT_EQ(classify(open_model("lenet5"), {1, 2, 3}).size(), 5U);
  for (const int wrong : {4, 0, -1}) {
    expect_error(
        ErrorCode::kArgumentInvalid, "1 to 3", [&] { (void)classify(three, {1, 2, 3}, wrong); });
  }
}

TEST_F(FileContracts, OnlyScoresGetASoftmax) {
  OnnxModel model({-1, 3, 2, 2});
  model.add_node("GlobalAveragePool", {"x"}, "mean");
  model.add_node("Flatten", {"mean"}, "flat");
  model.add_node("Softmax", {"flat"}, "y");
  model.add_output("y");
  const Model with = open_model(write(model), unit());
  const Model without = open_model(write(channel_means({-1, 3, 2, 2})), unit());

  EXPECT_FALSE(with.gives_scores());
  EXPECT_TRUE(without.gives_scores());
  EXPECT_EQ(classify(with, {255, 0, 0}).at(0).probability,
            classify(without, {255, 0, 0}).at(0).probability);
}

TEST_F(FileContracts, RefuseWhatDoesNotFitTheNetwork) {
  const std::string colour = write(channel_means({-1, 3, 4, 5}));
  const std::string gray = write(channel_means({-1, 1, 4, 5}));
  const auto refuse = [&](const std::string& file, const char* part, auto change) {
    ModelOptions options = unit();
    change(options);
    expect_error(ErrorCode::kArgumentInvalid, part, [&] { (void)open_model(file, options); });
  };

  refuse(colour, "3 channels", [](ModelOptions& o) { o.color = ColorMode::kGrayscale; });
  refuse(gray, "1 channel", [](ModelOptions& o) { o.color = ColorMode::kRgb; });
  refuse(gray, "'torch'", [](ModelOptions& o) { o.mode = Normalization::kTorch; });
  for (const int side : {4, 0, -5, 16'385}) {
    refuse(colour, "shorter side", [side](ModelOptions& o) {
      o.fit = Fit::kCentreCrop;
      o.shorter_side = side;
    });
  }
  refuse(colour, "centre-crop", [](ModelOptions& o) { o.shorter_side = 8; });
  refuse(colour, "4 labels", [&](ModelOptions& o) { o.labels = labels(4); });
  refuse(colour, "4 labels", [&](ModelOptions& o) {
    o.mode.reset();
    o.labels = labels(4);
  });
}

/// Nobody asked for what does not fit: the package is wrong, not its user, who can put it right.
TEST_F(FileContracts, APackageThatDoesNotFitItselfIsDamaged) {
  const std::string package = folder_.path() / "package";
  save_package(open_model(write(channel_means({-1, 3, 4, 5})), unit()), package);
  const std::string path = package + "/manifest.json";
  std::string manifest = read_text_file(path);
  const std::string rgb = R"("color": "rgb")";
  manifest.replace(manifest.find(rgb), rgb.size(), R"("color": "grayscale")");
  write_file_atomic(path, manifest);
  ModelOptions options;
  options.color = ColorMode::kRgb;

  EXPECT_EQ(open_model(package, options).preprocessing().value().color, ColorMode::kRgb);

  expect_error(ErrorCode::kModelCorrupt, "3 channels", [&] { (void)open_model(package); });
  options.color = ColorMode::kGrayscale;
  expect_error(
      ErrorCode::kArgumentInvalid, "3 channels", [&] { (void)open_model(package, options); });
}

TEST_F(FileContracts, AModeComesFirst) {
  const std::string file = write(channel_means({-1, 3, 4, 5}));
  const auto refuse = [&](auto change) {
    ModelOptions options;
    change(options);
    expect_error(ErrorCode::kArgumentInvalid, "--mode", [&] { (void)open_model(file, options); });
  };

  refuse([](ModelOptions& o) { o.interpolation = Interpolation::kBox; });
  refuse([](ModelOptions& o) { o.fit = Fit::kKeepAspectRatio; });
  refuse([](ModelOptions& o) { o.shorter_side = 8; });
  refuse([](ModelOptions& o) { o.color = ColorMode::kRgb; });
}

TEST_F(FileContracts, AContractNeedsAClassifierOfPictures) {
  OnnxModel two = channel_means({-1, 3, 2, 2});
  two.add_input("z", {-1, 3});
  OnnxModel map({-1, 3, 2, 2});
  map.add_node("Clip", {"x"}, "y");
  map.add_output("y");
  OnnxModel flat({-1, 6});
  flat.add_node("Softmax", {"x"}, "y");
  flat.add_output("y");
  const auto refuse = [&](const OnnxModel& model, const char* part) {
    const std::string file = write(model);
    EXPECT_FALSE(open_model(file).preprocessing().has_value());
    expect_error(ErrorCode::kArgumentInvalid, part, [&] { (void)open_model(file, unit()); });
  };

  refuse(two, "one input");
  refuse(map, "one row of class scores");
  refuse(flat, "picture input");
}

/// As SqueezeNet gives them.
TEST_F(FileContracts, ScoresMayBePicturesOfOnePixel) {
  OnnxModel pixels({-1, 3, 2, 2});
  pixels.add_node("GlobalAveragePool", {"x"}, "scores");
  pixels.add_output("scores");
  const Model model = open_model(write(pixels), unit());

  const std::vector<Prediction> got = classify(model, {9, 99, 60});

  const std::vector<Prediction> want =
      classify(open_model(write(channel_means({-1, 3, 2, 2})), unit()), {9, 99, 60});
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(got[i].index, want[i].index);
    EXPECT_EQ(got[i].probability, want[i].probability);
  }
}

/// A size that was asked for is the package's, not the one in the zoo's manifest.
TEST_F(FileContracts, AZooNetworkHasTheSizeThatItWasBuiltFor) {
  ModelOptions options{.weights = "random:1"};
  options.input_size = {96, 64};

  const Model model = open_model("resnet50", options);

  EXPECT_EQ(model.preprocessing().value().height, 96);
  EXPECT_EQ(model.preprocessing().value().width, 64);
  for (const int side : {0, 16'385}) {
    options.input_size = {side, 64};
    expect_error(
        ErrorCode::kArgumentInvalid, "16384", [&] { (void)open_model("resnet50", options); });
  }
}

}  // namespace
}  // namespace fovea
