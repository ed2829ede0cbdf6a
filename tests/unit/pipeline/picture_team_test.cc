// Pictures through a team whose workers share a device, which the host is not.
#include "engine/pipeline/picture_team.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "engine/backend/reference/reference_backend.h"
#include "engine/pipeline/ordered_pool.h"
#include "engine/runtime/pipelined_context.h"
#include "tests/support/small_classifier.h"
#include "tests/support/threaded_backend.h"

namespace fovea {
namespace {

using test::Answers;

class PictureTeams : public testing::Test {
 protected:
  [[nodiscard]] PictureTeam device_team(std::size_t threads) const {
    const auto plan = test::small_classifier_on(test::make_threaded_backend());
    return {{&plan, 1}, test::small_classifier_spec(), labels_, threads};
  }

  [[nodiscard]] Answers known(std::size_t count) const {
    return test::known_answers(labels_, count);
  }

  const std::vector<Label> labels_ = test::small_classifier_labels();
};

TEST_F(PictureTeams, AnswerInOrderAndAsTheReferenceDoes) {
  const Answers want = known(200);
  for (const std::size_t threads : {1U, 2U, 6U}) {
    const PictureTeam team = device_team(threads);
    for (const std::size_t count : {0U, 1U, 4U, 5U, 200U}) {
      SCOPED_TRACE(count);
      std::size_t asked = 0;
      Answers answers;

      run_ordered(test::answers_run(team, count, asked, answers));

      EXPECT_EQ(answers, Answers(want.begin(), want.begin() + static_cast<std::ptrdiff_t>(count)));
    }
    EXPECT_EQ(team.times().decode_s, 0 + 1 + 4 + 4 + 178) << "one second a picture";
    EXPECT_EQ(team.times().pictures, static_cast<std::int64_t>(team.times().decode_s));
    EXPECT_GT(team.times().compute_s, 0);
  }
}

TEST_F(PictureTeams, HaveAWorkerMoreThanThreadsAndKeepTheDeviceBusy) {
  EXPECT_EQ(device_team(1).size(), PipelinedContext::kSlots);
  EXPECT_EQ(device_team(2).size(), 3U);
  EXPECT_EQ(device_team(8).size(), 9U);
  const auto plan = test::small_classifier_on(make_reference_backend());
  const PictureTeam host({&plan, 1}, test::small_classifier_spec(), labels_, 8);
  EXPECT_EQ(host.size(), 8U);
  EXPECT_EQ(host.device_bytes(), 8 * device_bytes(*plan, 0));
  EXPECT_EQ(device_team(8).device_bytes(),
            device_bytes(*test::small_classifier_on(test::make_threaded_backend()), 9));
}

/// A source that gives the next picture only when the last one is answered, as a client that waits:
/// no worker may keep a result to itself while it asks for more.
TEST_F(PictureTeams, AnswerBeforeMoreIsThere) {
  const PictureTeam team = device_team(2);
  std::size_t asked = 0;
  Answers answers;
  OrderedRun run = test::answers_run(team, 30, asked, answers);
  run.chunk = 1;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t answered = 0;
  run.next = [&, next = run.next]() -> std::optional<LoadPicture> {
    std::unique_lock lock(mutex);
    const bool came =
        changed.wait_for(lock, std::chrono::seconds(60), [&] { return answered == asked; });
    EXPECT_TRUE(came);
    return came ? next() : std::nullopt;
  };
  run.sink = [&, sink = run.sink](std::size_t index, const Result& result) {
    sink(index, result);
    const std::lock_guard lock(mutex);
    ++answered;
    changed.notify_all();
  };

  run_ordered(run);

  EXPECT_EQ(answers, known(30));
}

/// As Ctrl-C twice, or a full disk: the run ends while batches are in flight, and the next one
/// works.
TEST_F(PictureTeams, WorkOnAfterARunThatWasBrokenOff) {
  const PictureTeam team = device_team(3);
  for (const std::size_t end : {0U, 1U, 7U, 23U}) {
    std::size_t asked = 0;
    Answers answers;
    OrderedRun run = test::answers_run(team, 100, asked, answers);
    run.sink = [&, sink = run.sink](std::size_t index, const Result& result) {
      if (index == end) throw std::runtime_error("no room for it");
      sink(index, result);
    };
    EXPECT_THROW(run_ordered(run), std::runtime_error);
    EXPECT_EQ(answers.size(), end);
  }
  std::size_t asked = 0;
  Answers answers;

  run_ordered(test::answers_run(team, 50, asked, answers));

  EXPECT_EQ(answers, known(50));
}

}  // namespace
}  // namespace fovea
