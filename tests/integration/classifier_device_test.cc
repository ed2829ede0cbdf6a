// A Classifier on a device that the host is not: the emulated one, which this program has among its
// backends and no other program of the project.
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/classifier.h>

#include "engine/api/device_backends.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/emulated_device.h"
#include "engine/core/file.h"
#include "engine/core/require.h"
#include "engine/importers/package.h"
#include "engine/passes/constants.h"
#include "engine/runtime/pipelined_context.h"
#include "tests/support/formula_picture.h"
#include "tests/support/run_plan.h"

namespace fovea {

// In place of those of the library.

std::span<const BackendEntry> device_backends() {
  static constexpr std::array kBackends{
      BackendEntry{"cuda-emu", cuda::device_count, make_cuda_emu_backend}};
  return kBackends;
}

std::unique_ptr<Backend> make_target_backend(std::string_view target) {
  throw Unsupported(cat("nothing is compiled for ", target));
}

namespace {

namespace emulated = cuda::emulated;

// Formats that are decoded without a module.
constexpr std::array kPictures{"gray.jpg", "yuv420.jpg", "no such file", "gray.pgm", "bits.pbm"};

std::string picture(std::size_t index) {
  return std::string(FOVEA_SOURCE_DIR) + "/tests/unit/pipeline/files/" +
         kPictures.at(index % kPictures.size());
}

ClassifierOptions options(const std::string& backend, std::int64_t batch) {
  ClassifierOptions options;
  options.backend = backend;
  options.threads = 2;
  options.batch = batch;
  options.top_k = 10;
  return options;
}

std::vector<Result> results_of(Classifier& classifier, std::size_t count) {
  std::vector<Result> results;
  std::size_t asked = 0;
  classifier.classify_files(
      [&]() -> std::optional<std::string> {
        if (asked == count) return std::nullopt;
        return picture(asked++);
      },
      [&](std::size_t index, Result result) {
        EXPECT_EQ(index, results.size());
        results.push_back(std::move(result));
      });
  return results;
}

TEST(ClassifierOnADevice, AnswersAsTheReferenceDoes) {
  Classifier reference = Classifier::open("lenet5", options("reference", 1));
  const std::vector<Result> want = results_of(reference, 13);
  for (const std::int64_t batch : {1, 3, 8}) {
    SCOPED_TRACE(batch);
    Classifier classifier = Classifier::open("lenet5", options("cuda-emu", batch));
    EXPECT_EQ(classifier.backend(), "cuda-emu");

    const std::vector<Result> got = results_of(classifier, 13);

    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
      SCOPED_TRACE(picture(i));
      EXPECT_EQ(got[i].failure.has_value(), want[i].failure.has_value());
      ASSERT_EQ(got[i].predictions.size(), want[i].predictions.size());
      for (std::size_t p = 0; p < want[i].predictions.size(); ++p) {
        // Sums of at most 400 products, of probabilities that are compared by rank.
        EXPECT_NEAR(got[i].predictions[p].probability, want[i].predictions[p].probability, 1e-5F);
      }
    }
    EXPECT_EQ(classifier.stage_times().pictures, 10);
  }
}

TEST(ClassifierOnADevice, SharesFewFilesAmongAllThreads) {
  Classifier classifier = Classifier::open("lenet5", options("cuda-emu", 8));
  std::vector<std::thread::id> asked;
  std::size_t delivered = 0;
  bool kept_one_waiting = false;

  classifier.classify_files(
      [&]() -> std::optional<std::string> {
        // Whoever asks for a third file with two in hand has more than its half of four.
        if (asked.size() == 2 && delivered == 0)
          kept_one_waiting = asked[0] == std::this_thread::get_id();
        if (asked.size() == 4) return std::nullopt;
        asked.push_back(std::this_thread::get_id());
        return picture(0);
      },
      [&](std::size_t, const Result&) { ++delivered; },
      4);

  EXPECT_EQ(delivered, 4);
  EXPECT_EQ(asked[0], asked[1]);
  EXPECT_FALSE(kept_one_waiting);
}

/// A network for colour pictures of 12 x 10, whose answers depend on all pixels and their places.
Model colour_model(const std::filesystem::path& folder, const PreprocessSpec& spec) {
  Package package;
  Graph& graph = package.graph;
  const auto weights = [&](const Shape& shape, std::uint64_t seed) {
    return graph.add(
        make_constant(shape, test::random_floats(num_elements(shape), seed)), {}, cat("w", seed));
  };
  Value x = graph.add(Input{{DType::kFloat32, {kBatch, 12, 10, 3}}}, {}, "pictures");
  x = graph.add(Conv2d{.strides = {2, 2}}, {x, weights({4, 3, 3, 3}, 1)}, "conv");
  x = graph.add(Reshape{{kBatch, 5 * 4 * 4}}, {graph.add(Relu{}, {x}, "relu")}, "flat");
  x = graph.add(Dense{}, {x, weights({6, 80}, 2)}, "scores");
  graph.mark_output(graph.add(Softmax{}, {graph.add(Rescale{0.05, 0}, {x}, "cool")}, "softmax"));
  package.manifest.name = "colour";
  package.manifest.input = "pictures";
  package.manifest.preprocess = spec;
  package.manifest.outputs = {{"softmax", OutputKind::kOther}};
  save_package(folder, package);
  return open_model(folder.native());
}

/// Of sizes around the network's, small and large ones; pictures of more than a 1 MiB, and of more
/// than 1,024 pixels along a side; gray ones among them.
std::vector<Image> mixed_pictures() {
  std::vector<Image> images;
  for (const auto& [width, height] : std::vector<std::pair<int, int>>{{1, 1},
                                                                      {700, 600},
                                                                      {10, 12},
                                                                      {640, 580},
                                                                      {33, 47},
                                                                      {1'100, 90},
                                                                      {5, 60},
                                                                      {2, 1'030},
                                                                      {120, 7},
                                                                      {300, 200},
                                                                      {14, 14}}) {
    const bool gray = images.size() % 4 == 2;
    images.push_back(
        test::formula_picture(width, height, gray ? PixelFormat::kGray8 : PixelFormat::kRgb8));
  }
  return images;
}

ClassifierOptions all_classes(const std::string& backend, std::int64_t batch) {
  ClassifierOptions all = options(backend, batch);
  all.top_k = 6;
  all.threads = 3;
  return all;
}

std::vector<float> probabilities_of(const Result& result) {
  EXPECT_FALSE(result.failure) << result.failure->message;
  std::vector<float> by_class(result.predictions.size());
  for (const Prediction& p : result.predictions) {
    by_class.at(static_cast<std::size_t>(p.index)) = p.probability;
  }
  return by_class;
}

void expect_near(const std::vector<Result>& got, const std::vector<Result>& want, float tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    const std::vector<float> a = probabilities_of(got[i]);
    const std::vector<float> b = probabilities_of(want[i]);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t c = 0; c < a.size(); ++c) EXPECT_NEAR(a[c], b[c], tolerance) << i;
  }
}

/// Every filter and fit, in batches that leave a bucket full and in others, on several threads.
TEST(ClassifierOnADevice, ResizesPicturesOfAllSizesThere) {
  const std::vector<Image> images = mixed_pictures();
  std::vector<ImageView> views;
  for (const Image& image : images) views.push_back(image.view());
  for (const Interpolation interpolation : {Interpolation::kNearest,
                                            Interpolation::kBilinear,
                                            Interpolation::kBicubic,
                                            Interpolation::kHamming,
                                            Interpolation::kBox,
                                            Interpolation::kLanczos}) {
    for (const Fit fit : {Fit::kStretch, Fit::kKeepAspectRatio, Fit::kCentreCrop}) {
      SCOPED_TRACE(to_string(interpolation));
      SCOPED_TRACE(to_string(fit));
      const TemporaryFolder folder(std::filesystem::temp_directory_path());
      const Model model = colour_model(folder.path() / "model",
                                       {.height = 12,
                                        .width = 10,
                                        .interpolation = interpolation,
                                        .fit = fit,
                                        .shorter_side = fit == Fit::kCentreCrop ? 15 : 0,
                                        .mode = Normalization::kTorch});
      const std::vector<Result> want =
          Classifier::open(model, all_classes("reference", 1)).classify(views);
      for (const std::int64_t batch : {1, 2, 8}) {
        SCOPED_TRACE(batch);
        Classifier classifier = Classifier::open(model, all_classes("cuda-emu", batch));

        // Sums of at most 80 products.
        expect_near(classifier.classify(views), want, 1e-5F);
      }
    }
  }
}

TEST(ClassifierOnADevice, ResizesToHalves) {
  const std::vector<Image> images = mixed_pictures();
  std::vector<ImageView> views;
  for (const Image& image : images) views.push_back(image.view());
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  const Model model = colour_model(folder.path() / "model",
                                   {.height = 12,
                                    .width = 10,
                                    .interpolation = Interpolation::kBicubic,
                                    .mode = Normalization::kTf});
  ClassifierOptions on_device = all_classes("cuda-emu", 8);
  on_device.precision = Precision::kFp16;
  Classifier classifier = Classifier::open(model, on_device);

  // Scores of up to 2 that 16-bit activations move by up to 2^-9 of them.
  expect_near(classifier.classify(views),
              Classifier::open(model, all_classes("reference", 1)).classify(views),
              4e-3F);
  const std::string summary = classifier.prepare().plan->summary();
  EXPECT_NE(summary.find("resize-normalize  f16"), std::string::npos) << summary;
  EXPECT_EQ(summary.find("pictures/f16"), std::string::npos) << summary;
}

/// One that cannot be resized is a failure of its own.
TEST(ClassifierOnADevice, APictureThatCannotBeResizedIsItsOwnFailure) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  const Model model = colour_model(folder.path() / "model",
                                   {.height = 12,
                                    .width = 10,
                                    .interpolation = Interpolation::kBilinear,
                                    .fit = Fit::kCentreCrop,
                                    .shorter_side = 20,
                                    .mode = Normalization::kTorch});
  const Image small = test::formula_picture(30, 20, PixelFormat::kRgb8);
  const Image flat = test::formula_picture(900, 1, PixelFormat::kRgb8);
  Classifier classifier = Classifier::open(model, all_classes("cuda-emu", 8));

  const std::vector<Result> results =
      classifier.classify(std::vector{small.view(), flat.view(), small.view()});

  EXPECT_FALSE(results[0].failure);
  ASSERT_TRUE(results[1].failure);
  EXPECT_EQ(results[1].failure->code, ErrorCode::kArgumentInvalid);
  EXPECT_EQ(probabilities_of(results[2]), probabilities_of(results[0]));
}

TEST(ClassifierOnADevice, SaysWhatItTakesThere) {
  const std::size_t before = emulated::device_bytes();
  Classifier classifier = Classifier::open("lenet5", options("auto", 0));
  EXPECT_EQ(classifier.backend(), "cuda-emu");

  const Classifier::Engine engine = classifier.prepare();

  EXPECT_EQ(engine.workers, 3U);
  EXPECT_EQ(engine.plan->largest_batch(), 32);
  EXPECT_EQ(emulated::device_bytes() - before, engine.arena_bytes + engine.plan->weight_bytes());
  EXPECT_EQ(classifier.prepare(1).workers, 3U) << "few pictures share no arithmetic there";
  EXPECT_EQ(emulated::device_bytes() - before, engine.arena_bytes + engine.plan->weight_bytes());
}

TEST(ClassifierOnSeveralDevices, AnswersAsOnOne) {
  emulated::set_device_count(3);
  const std::vector<Image> images = mixed_pictures();
  std::vector<ImageView> views;
  for (int copy = 0; copy < 4; ++copy) {
    for (const Image& image : images) views.push_back(image.view());
  }
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  const Model model = colour_model(folder.path() / "model",
                                   {.height = 12,
                                    .width = 10,
                                    .interpolation = Interpolation::kBilinear,
                                    .mode = Normalization::kTf});
  Classifier one = Classifier::open(model, all_classes("cuda-emu", 2));
  ClassifierOptions several = all_classes("cuda-emu", 2);
  several.devices = {2, 0};
  const std::array before{
      emulated::device_bytes(0), emulated::device_bytes(1), emulated::device_bytes(2)};
  Classifier classifier = Classifier::open(model, several);

  const std::vector<Result> got = classifier.classify(views);

  expect_near(got, one.classify(views), 0);
  const Classifier::Engine engine = classifier.prepare();
  EXPECT_EQ(engine.devices, 2U);
  EXPECT_EQ(engine.workers, 2 * PipelinedContext::kSlots);
  const std::size_t each = engine.arena_bytes / 2 + engine.plan->weight_bytes();
  EXPECT_EQ(emulated::device_bytes(2) - before[2], each);
  EXPECT_EQ(emulated::device_bytes(1), before[1]);
  EXPECT_GE(emulated::device_bytes(0) - before[0], each);
  emulated::set_device_count(1);
}

TEST(ClassifierOnSeveralDevices, RefusesThoseThatThereAreNot) {
  const auto open = [](const std::string& backend, const std::vector<int>& devices) {
    ClassifierOptions wrong = options(backend, 1);
    wrong.devices = devices;
    (void)Classifier::open("lenet5", wrong);
  };
  emulated::set_device_count(2);
  EXPECT_EQ(device_count("cuda-emu"), 2);
  EXPECT_EQ(device_count("auto"), 2);
  EXPECT_EQ(device_count("cpu"), 1);
  EXPECT_NO_THROW(open("auto", {1}));
  EXPECT_THROW(open("cuda-emu", {0, 2}), DeviceError);
  EXPECT_THROW(open("cuda-emu", {1, 1}), InvalidArgument);
  EXPECT_THROW(open("cpu", {1}), InvalidArgument);
  EXPECT_THROW(open("cpu", {0, 1}), InvalidArgument);
  EXPECT_NO_THROW(open("cpu", {0}));
  emulated::set_device_count(1);
}

TEST(ClassifierOnADevice, ThrowsForGoodWhenItFails) {
  Classifier classifier = Classifier::open("lenet5", options("cuda-emu", 2));
  EXPECT_EQ(results_of(classifier, 5).size(), 5U);
  emulated::fail_call(7, emulated::Failure::kOfItsWork);

  EXPECT_THROW((void)results_of(classifier, 5), DeviceError);

  EXPECT_FALSE(emulated::fail_no_call());
  EXPECT_THROW((void)results_of(classifier, 5), DeviceError);
}

}  // namespace
}  // namespace fovea
