// One Classifier for several threads. On the reference backend and with formats that Fovea decodes
// itself: the thread sanitizer cannot see the locks inside oneDNN's OpenMP runtime, and finds fault
// with the libraries that OpenCV loads.
#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/classifier.h>

namespace fovea {
namespace {

constexpr std::array kPictures{"gray.jpg", "gray.pgm", "bits.pbm", "lzw.tif", "yuv420.jpg"};

std::string picture(std::size_t index) {
  return std::string(FOVEA_SOURCE_DIR) + "/tests/unit/pipeline/files/" + kPictures.at(index);
}

ClassifierOptions options(Threading threading) {
  ClassifierOptions options;
  options.backend = "reference";
  options.threads = 2;
  options.threading = threading;
  options.top_k = 10;
  return options;
}

/// Index and probability of every class, most probable first; empty for a failure.
using Answer = std::vector<std::pair<std::int32_t, float>>;

Answer answer_of(const Result& result) {
  Answer answer;
  for (const Prediction& p : result.predictions) answer.emplace_back(p.index, p.probability);
  return answer;
}

std::vector<Answer> answers_for_files(Classifier& classifier) {
  std::vector<Answer> answers;
  std::size_t asked = 0;
  classifier.classify_files(
      [&]() -> std::optional<std::string> {
        return asked == kPictures.size() ? std::nullopt : std::optional(picture(asked++));
      },
      [&](std::size_t, const Result& result) { answers.push_back(answer_of(result)); });
  return answers;
}

TEST(ClassifierThreads, TwoThreadsShareOneClassifier) {
  for (const Threading threading : {Threading::kLatency, Threading::kThroughput}) {
    Classifier alone = Classifier::open("lenet5", options(threading));
    const std::vector<Answer> want = answers_for_files(alone);
    for (const Answer& answer : want) ASSERT_EQ(answer.size(), 10U);
    Classifier shared = Classifier::open("lenet5", options(threading));
    std::atomic<int> wrong = 0;

    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 4; ++i) wrong += answers_for_files(shared) == want ? 0 : 1;
      });
    }
    threads.clear();

    EXPECT_EQ(wrong, 0);
  }
}

TEST(ClassifierThreads, PicturesInMemoryAndFilesTakeTurns) {
  Classifier classifier = Classifier::open("lenet5", options(Threading::kAuto));
  const std::vector<Answer> want = answers_for_files(classifier);
  const Image gray = decode_file(picture(0), ColorMode::kGrayscale);
  const std::vector<ImageView> pictures(5, gray.view());
  std::atomic<int> wrong = 0;

  std::jthread files([&] {
    for (int i = 0; i < 3; ++i) wrong += answers_for_files(classifier) == want ? 0 : 1;
  });
  for (int i = 0; i < 3; ++i) {
    for (const Result& result : classifier.classify(pictures)) {
      wrong += answer_of(result) == want.at(0) ? 0 : 1;
    }
  }
  files.join();

  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace fovea
