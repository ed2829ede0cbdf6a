// Streams of pictures from files, memory and pixels, and what a classifier says of its own work.
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/classifier.h>
#include <fovea/compiler.h>
#include <fovea/context.h>
#include <fovea/model.h>

#include "engine/core/file.h"

namespace fovea {
namespace {

// Formats that are decoded without a module.
constexpr std::array kPictures{"gray.jpg", "yuv420.jpg", "gray.pgm"};

std::string file(std::size_t index) {
  return std::string(FOVEA_SOURCE_DIR) + "/tests/unit/pipeline/files/" + kPictures.at(index);
}

ClassifierOptions options(std::int64_t batch = 0) {
  ClassifierOptions options;
  options.backend = "reference";
  options.threads = 2;
  options.batch = batch;
  options.top_k = 10;
  return options;
}

std::vector<Result> stream(Classifier& classifier,
                           const std::vector<Classifier::Picture>& pictures) {
  std::vector<Result> results;
  std::size_t asked = 0;
  classifier.classify_stream(
      [&]() -> std::optional<Classifier::Picture> {
        if (asked == pictures.size()) return std::nullopt;
        return pictures[asked++];
      },
      [&](std::size_t index, Result result) {
        EXPECT_EQ(index, results.size());
        results.push_back(std::move(result));
      });
  return results;
}

void expect_equal(const Result& got, const Result& want) {
  EXPECT_FALSE(got.failure) << got.failure->message;
  ASSERT_EQ(got.predictions.size(), want.predictions.size());
  for (std::size_t i = 0; i < want.predictions.size(); ++i) {
    EXPECT_EQ(got.predictions[i].index, want.predictions[i].index);
    EXPECT_EQ(got.predictions[i].probability, want.predictions[i].probability);
  }
}

TEST(ClassifierStream, FilesBytesAndPixelsAreTheSamePicture) {
  Classifier classifier = Classifier::open("lenet5", options());
  std::vector<Classifier::Picture> paths;
  std::vector<std::vector<std::byte>> bytes;
  std::vector<Image> pixels;
  for (std::size_t i = 0; i < kPictures.size(); ++i) {
    paths.emplace_back(file(i));
    bytes.push_back(read_file(file(i)));
    pixels.push_back(decode(bytes.back(), ColorMode::kGrayscale));
  }

  const auto want = stream(classifier, paths);
  const auto from_bytes = stream(classifier, {bytes.begin(), bytes.end()});
  std::vector<Classifier::Picture> views;
  for (const Image& image : pixels) views.emplace_back(image.view());
  const auto from_pixels = stream(classifier, views);

  ASSERT_EQ(want.size(), kPictures.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    SCOPED_TRACE(kPictures.at(i));
    EXPECT_EQ(want[i].predictions.size(), 10U);
    expect_equal(from_bytes[i], want[i]);
    expect_equal(from_pixels[i], want[i]);
  }
}

TEST(ClassifierStream, BytesThatAreNoPictureAreOneFailure) {
  Classifier classifier = Classifier::open("lenet5", options());
  const std::vector<std::byte> good = read_file(file(0));
  const auto half = std::span(good).first(good.size() / 2);

  const auto results = stream(classifier, {std::span(good), half, std::span(good)});

  ASSERT_EQ(results.size(), 3U);
  EXPECT_FALSE(results[0].failure);
  ASSERT_TRUE(results[1].failure);
  EXPECT_EQ(results[1].failure->code, ErrorCode::kImageTruncated);
  EXPECT_FALSE(results[2].failure);
}

TEST(StageTimes, CountTheWorkOfAllCalls) {
  Classifier classifier = Classifier::open("lenet5", options());
  EXPECT_EQ(classifier.stage_times().pictures, 0);

  (void)stream(classifier, {file(0), file(1), file(2), "no such file"});

  const StageTimes first = classifier.stage_times();
  EXPECT_EQ(first.pictures, 3);
  for (const double seconds : {first.decode_s,
                               first.preprocess_s,
                               first.upload_s,
                               first.compute_s,
                               first.download_s,
                               first.postprocess_s}) {
    EXPECT_GT(seconds, 0.0);
    EXPECT_LT(seconds, 60.0);
  }
  // The reference computes for much longer than anything else takes.
  EXPECT_GT(first.compute_s, first.upload_s + first.download_s + first.postprocess_s);

  const Image image = decode_file(file(0), ColorMode::kGrayscale);
  (void)stream(classifier, {image.view()});

  const StageTimes second = classifier.stage_times();
  EXPECT_EQ(second.pictures, 4);
  EXPECT_EQ(second.decode_s, first.decode_s) << "pixels are not decoded";
  EXPECT_GT(second.preprocess_s, first.preprocess_s);
  EXPECT_GT(second.compute_s, first.compute_s);
}

TEST(StageTimes, AContextAddsThemWhereAsked) {
  const Model model = open_model("lenet5");
  CompileOptions compile_options;
  compile_options.backend = "reference";
  compile_options.buckets = {2};
  const auto plan = compile(model.graph(), compile_options);
  Context context(plan);
  std::vector<std::byte> input(byte_size(with_batch(plan->inputs()[0].desc, 2)));
  std::vector<std::byte> output(byte_size(with_batch(plan->outputs()[0].desc, 2)));
  const std::span<const std::byte> in(input);
  const std::span<std::byte> out(output);
  StageTimes times;

  context.run(2, {&in, 1}, {&out, 1});
  context.run(2, {&in, 1}, {&out, 1}, &times);

  EXPECT_EQ(times.pictures, 2);
  EXPECT_GT(times.compute_s, 0.0);
  EXPECT_EQ(times.decode_s, 0.0);
  EXPECT_EQ(times.postprocess_s, 0.0);
}

TEST(ClassifierEngine, SaysWhatACallWorksWith) {
  Classifier classifier = Classifier::open("lenet5", options(/*batch=*/3));

  const Classifier::Engine engine = classifier.prepare();

  EXPECT_EQ(engine.workers, 2U);
  EXPECT_EQ(engine.plan->largest_batch(), 3);
  EXPECT_EQ(engine.plan->backend(), "reference");
  EXPECT_GE(engine.arena_bytes, 2 * byte_size(with_batch(engine.plan->inputs()[0].desc, 3)));
  EXPECT_EQ(classifier.prepare().plan->impl(), engine.plan->impl()) << "compiled again";
}

ModelGraph resnet50() {
  ModelOptions options;
  options.weights = "random:1";
  return open_model("resnet50", options).graph();
}

TEST(ClassifierEngine, SharesOnePictureOnlyWhereThatIsWorthIt) {
  const ModelGraph small = open_model("lenet5").graph();
  const ModelGraph large = resnet50();

  EXPECT_EQ(choose_threading(large, 2, 1), Threading::kLatency);
  EXPECT_EQ(choose_threading(large, 2, 2), Threading::kThroughput);
  EXPECT_EQ(choose_threading(large, 2, std::nullopt), Threading::kThroughput);
  EXPECT_EQ(choose_threading(small, 2, 1), Threading::kThroughput);
  EXPECT_EQ(choose_threading(small, 1, std::nullopt), Threading::kLatency);
}

TEST(ClassifierThreads, AreSharedOutByRunsAndNotByPictures) {
  ClassifierOptions options;
  options.backend = "cpu";
  options.threads = 2;
  options.batch = 8;
  Classifier classifier = Classifier::open(open_model("resnet50", {.weights = "random"}), options);

  EXPECT_EQ(classifier.prepare(8).workers, 1U) << "both threads share the one run";
  EXPECT_EQ(classifier.prepare(9).workers, 2U);
}

TEST(MultiplyAdds, OfNetworksOfTheZoo) {
  // 3.858 G by hand from the layers of Keras's ResNet50; LeNet-5's five layers likewise.
  EXPECT_EQ(multiply_adds(open_model("lenet5").graph()),
            28 * 28 * 6 * 25 + 10 * 10 * 16 * 150 + 400 * 120 + 120 * 84 + 84 * 10);
  EXPECT_NEAR(static_cast<double>(multiply_adds(resnet50())), 3.858e9, 0.001e9);
}

}  // namespace
}  // namespace fovea
