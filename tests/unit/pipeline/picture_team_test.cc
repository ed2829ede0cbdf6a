// Pictures through a team whose workers share a device, which the host is not.
#include "engine/pipeline/picture_team.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "engine/backend/reference/reference_backend.h"
#include "engine/passes/constants.h"
#include "engine/pipeline/ordered_pool.h"
#include "engine/runtime/pipelined_context.h"
#include "tests/support/run_plan.h"
#include "tests/support/threaded_backend.h"

namespace fovea {
namespace {

constexpr std::size_t kPixels = 12;
constexpr std::size_t kClasses = 5;

Graph classifier() {
  Graph graph;
  const Value x = graph.add(Input{{DType::kUInt8, {kBatch, 4, 3, 1}}}, {}, "pictures");
  Value y =
      graph.add(NormalizeImage{normalization_constants(Normalization::kTf)}, {x}, "normalized");
  y = graph.add(Reshape{{kBatch, kPixels}}, {y}, "flat");
  const Value w = graph.add(
      make_constant({kClasses, kPixels}, test::random_floats(kClasses * kPixels, 1)), {}, "w");
  y = graph.add(Softmax{}, {graph.add(Dense{}, {y, w}, "scores")}, "softmax");
  y = graph.add(TopK{3}, {y}, "top");
  graph.mark_output(y, "values");
  graph.mark_output({y.node, 1}, "indices");
  return graph;
}

std::shared_ptr<const ExecutionPlan> plan_on(std::shared_ptr<const Backend> backend) {
  return compile_plan(classifier(), std::move(backend), {.buckets = {1, 4}, .threads = 1});
}

/// Every ninth picture is broken.
bool is_broken(std::size_t index) {
  return index % 9 == 4;
}

LoadPicture load(std::size_t index) {
  return [index](std::uint8_t* out, StageTimes& times) {
    if (is_broken(index)) throw Error(ErrorCode::kImageCorrupt, "broken");
    for (std::size_t i = 0; i < kPixels; ++i) {
      out[i] = static_cast<std::uint8_t>((index + 1) * (i + 7) * 31);
    }
    times.decode_s += 1;
  };
}

/// Index and probability of the predictions; of a broken picture none.
using Answer = std::vector<std::pair<std::int32_t, float>>;

Answer answer_of(const Result& result) {
  Answer answer;
  for (const Prediction& p : result.predictions) answer.emplace_back(p.index, p.probability);
  return answer;
}

class PictureTeams : public testing::Test {
 protected:
  [[nodiscard]] PictureTeam device_team(std::size_t threads) const {
    return {plan_on(test::make_threaded_backend()), labels_, threads};
  }

  /// What the pictures' results are, by one worker of the reference, one at a time.
  [[nodiscard]] std::vector<Answer> known(std::size_t count) const {
    const PictureTeam team(plan_on(make_reference_backend()), labels_, 1);
    std::vector<Answer> answers;
    for (std::size_t i = 0; i < count; ++i) {
      const LoadPicture picture = load(i);
      answers.push_back(answer_of(team.worker(0).run({&picture, 1}).at(0)));
    }
    return answers;
  }

  /// `count` pictures by all workers.
  static OrderedRun run_of(const PictureTeam& team,
                           std::size_t count,
                           std::size_t& asked,
                           std::vector<Answer>& answers) {
    return {.workers = team.size(),
            .chunk = 4,
            .next = [&asked, count]() -> std::optional<LoadPicture> {
              if (asked == count) return std::nullopt;
              return load(asked++);
            },
            .work =
                [&team](std::size_t worker, std::span<const LoadPicture> pictures) {
                  return team.worker(worker).run(pictures);
                },
            .sink =
                [&answers](std::size_t index, const Result& result) {
                  EXPECT_EQ(index, answers.size());
                  EXPECT_EQ(result.failure.has_value(), is_broken(index));
                  answers.push_back(answer_of(result));
                }};
  }

  const std::vector<Label> labels_ = std::vector<Label>(kClasses);
};

TEST_F(PictureTeams, AnswerInOrderAndAsTheReferenceDoes) {
  const std::vector<Answer> want = known(200);
  for (const std::size_t threads : {1U, 2U, 6U}) {
    const PictureTeam team = device_team(threads);
    for (const std::size_t count : {0U, 1U, 4U, 5U, 200U}) {
      SCOPED_TRACE(count);
      std::size_t asked = 0;
      std::vector<Answer> answers;

      run_ordered(run_of(team, count, asked, answers));

      EXPECT_EQ(
          answers,
          std::vector<Answer>(want.begin(), want.begin() + static_cast<std::ptrdiff_t>(count)));
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
  const auto plan = plan_on(make_reference_backend());
  const PictureTeam host(plan, labels_, 8);
  EXPECT_EQ(host.size(), 8U);
  EXPECT_EQ(host.device_bytes(), 8 * device_bytes(*plan, 0));
  EXPECT_EQ(device_team(8).device_bytes(),
            device_bytes(*plan_on(test::make_threaded_backend()), 9));
}

/// A source that gives the next picture only when the last one is answered, as a client that waits:
/// no worker may keep a result to itself while it asks for more.
TEST_F(PictureTeams, AnswerBeforeMoreIsThere) {
  const PictureTeam team = device_team(2);
  std::size_t asked = 0;
  std::vector<Answer> answers;
  OrderedRun run = run_of(team, 30, asked, answers);
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
    std::vector<Answer> answers;
    OrderedRun run = run_of(team, 100, asked, answers);
    run.sink = [&, sink = run.sink](std::size_t index, const Result& result) {
      if (index == end) throw std::runtime_error("no room for it");
      sink(index, result);
    };
    EXPECT_THROW(run_ordered(run), std::runtime_error);
    EXPECT_EQ(answers.size(), end);
  }
  std::size_t asked = 0;
  std::vector<Answer> answers;

  run_ordered(run_of(team, 50, asked, answers));

  EXPECT_EQ(answers, known(50));
}

}  // namespace
}  // namespace fovea
