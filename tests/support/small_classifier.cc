#include "tests/support/small_classifier.h"

#include <optional>

#include <gtest/gtest.h>

#include "engine/backend/reference/reference_backend.h"
#include "engine/passes/constants.h"
#include "tests/support/run_plan.h"

namespace fovea::test {

namespace {

constexpr std::size_t kPixels = 12;
constexpr std::size_t kClasses = 5;

LoadPicture load(std::size_t index) {
  return [index](StageTimes& times) {
    if (is_broken(index)) throw Error(ErrorCode::kImageCorrupt, "broken");
    Image picture(3, 4, PixelFormat::kGray8);
    for (std::size_t i = 0; i < kPixels; ++i) {
      picture.data()[i] = static_cast<std::uint8_t>((index + 1) * (i + 7) * 31);
    }
    times.decode_s += 1;
    return picture;
  };
}

Answer answer_of(const Result& result) {
  Answer answer;
  for (const Prediction& p : result.predictions) answer.emplace_back(p.index, p.probability);
  return answer;
}

}  // namespace

std::shared_ptr<const ExecutionPlan> small_classifier_on(std::shared_ptr<const Backend> backend) {
  Graph graph;
  const Value x = graph.add(Input{{DType::kUInt8, {kBatch, 4, 3, 1}}}, {}, "pictures");
  Value y =
      graph.add(NormalizeImage{normalization_constants(Normalization::kTf)}, {x}, "normalized");
  y = graph.add(Reshape{{kBatch, kPixels}}, {y}, "flat");
  const Value w =
      graph.add(make_constant({kClasses, kPixels}, random_floats(kClasses * kPixels, 1)), {}, "w");
  y = graph.add(Softmax{}, {graph.add(Dense{}, {y, w}, "scores")}, "softmax");
  y = graph.add(TopK{3}, {y}, "top");
  graph.mark_output(y, "values");
  graph.mark_output({y.node, 1}, "indices");
  return compile_plan(graph, std::move(backend), {.buckets = {1, 4}, .threads = 1});
}

PreprocessSpec small_classifier_spec() {
  return {.height = 4, .width = 3, .color = ColorMode::kGrayscale};
}

std::vector<Label> small_classifier_labels() {
  return std::vector<Label>(kClasses);
}

bool is_broken(std::size_t index) {
  return index % 9 == 4;
}

Answers known_answers(std::span<const Label> labels, std::size_t count) {
  const auto plan = small_classifier_on(make_reference_backend());
  const PictureTeam team({&plan, 1}, small_classifier_spec(), labels, 1);
  Answers answers;
  for (std::size_t i = 0; i < count; ++i) {
    const LoadPicture picture = load(i);
    answers.push_back(answer_of(team.worker(0).run({&picture, 1}).at(0)));
  }
  return answers;
}

OrderedRun answers_run(const PictureTeam& team,
                       std::size_t count,
                       std::size_t& asked,
                       Answers& answers) {
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

}  // namespace fovea::test
