// Pictures to predictions on the emulated device, by several threads, until it fails.
#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/emulated_device.h"
#include "kernels/simt/stream.h"
#include "tests/support/small_classifier.h"

namespace fovea {
namespace {

namespace emulated = cuda::emulated;
using test::Answers;

class CudaTeam : public testing::Test {
 protected:
  void TearDown() override {
    (void)emulated::fail_no_call();
    simt::set_stream_order(simt::StreamOrder::kOnDemand);
  }

  /// The first values are the reference's but for the last bits of sums of 12 products.
  static void expect_near(const Answers& got, const Answers& want) {
    ASSERT_LE(got.size(), want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(got[i].size(), want[i].size()) << "picture " << i;
      for (std::size_t j = 0; j < got[i].size(); ++j) {
        EXPECT_NEAR(got[i][j].second, want[i][j].second, 1e-5F) << "picture " << i;
      }
    }
  }

  const std::vector<Label> labels_ = test::small_classifier_labels();
  const std::shared_ptr<const ExecutionPlan> plan_ =
      test::small_classifier_on(make_cuda_emu_backend());
  const Answers want_ = test::known_answers(labels_, 60);
};

TEST_F(CudaTeam, AnswersInAllOrdersOfItsStreams) {
  const PictureTeam team({&plan_, 1}, test::small_classifier_spec(), labels_, 3);
  const std::uint64_t pageable = emulated::pageable_copies();
  for (std::uint32_t seed = 1; seed <= 4; ++seed) {
    simt::set_stream_order(simt::StreamOrder::kRandom, seed);
    std::size_t asked = 0;
    Answers answers;

    run_ordered(test::answers_run(team, want_.size(), asked, answers));

    EXPECT_EQ(answers.size(), want_.size());
    expect_near(answers, want_);
  }
  EXPECT_EQ(emulated::pageable_copies(), pageable);
}

/// What was handed over before is right; nothing is afterwards, in this run and in later ones.
TEST_F(CudaTeam, ADeviceThatFailsEndsTheRunAndEveryLaterOne) {
  for (const emulated::Failure failure :
       {emulated::Failure::kOfTheCall, emulated::Failure::kOfItsWork}) {
    for (const std::uint64_t call : {0U, 3U, 10U, 41U, 77U}) {
      const PictureTeam team({&plan_, 1}, test::small_classifier_spec(), labels_, 3);
      std::size_t asked = 0;
      Answers answers;
      emulated::fail_call(call, failure);

      EXPECT_THROW(run_ordered(test::answers_run(team, want_.size(), asked, answers)), DeviceError);

      EXPECT_FALSE(emulated::fail_no_call());
      EXPECT_LT(answers.size(), want_.size());
      expect_near(answers, want_);
      asked = 0;
      answers.clear();
      EXPECT_THROW(run_ordered(test::answers_run(team, want_.size(), asked, answers)), DeviceError);
      EXPECT_EQ(answers.size(), 0U);
    }
  }
}

}  // namespace
}  // namespace fovea
