// A Classifier on a device that the host is not: the emulated one, which this program has among its
// backends and no other program of the project.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/classifier.h>

#include "engine/api/device_backends.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/emulated_device.h"
#include "engine/core/require.h"

namespace fovea {

// In place of those of the library.

std::span<const BackendEntry> device_backends() {
  static constexpr std::array kBackends{BackendEntry{"cuda-emu", make_cuda_emu_backend}};
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
