// What a backend with cuDNN keeps for later: in plan files and for further devices. cuDNN is the
// fake one on the emulated device: this program has that backend among its own and no other one
// has.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fovea/classifier.h>
#include <fovea/compiler.h>
#include <fovea/explain.h>
#include <fovea/plan_file.h>

#include "engine/api/device_backends.h"
#include "engine/api/plan_file.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/cudnn_convolutions.h"
#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/emulated_device.h"
#include "engine/backend/cuda/no_convolutions.h"
#include "engine/core/file.h"
#include "engine/core/require.h"
#include "engine/plan/saved_state.h"
#include "kernels/simt/stream.h"
#include "tests/support/errors.h"
#include "tests/support/fake_cudnn.h"

namespace fovea {

namespace {

/// What the backend "cuda" has for convolutions; set by the test that is running.
std::function<std::unique_ptr<const cuda::ConvolutionLibrary>()> make_convolutions;

std::unique_ptr<Backend> make_cuda(int device) {
  constexpr int kHopper = 90;
  return cuda::make_backend("cuda", {.convolutions = make_convolutions()}, kHopper, device);
}

}  // namespace

// In place of those of the library.

std::span<const BackendEntry> device_backends() {
  static constexpr std::array kBackends{BackendEntry{"cuda", cuda::device_count, make_cuda}};
  return kBackends;
}

std::unique_ptr<Backend> make_target_backend(std::string_view target) {
  throw Unsupported(cat("nothing is compiled for ", target));
}

namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

test::FakeEngine engine(std::int64_t index) {
  return {.engine = {index, {{2, index}}}, .workspace_bytes = 64 * index};
}

class CudnnPlanFile : public testing::Test {
 protected:
  CudnnPlanFile() {
    ::setenv("FOVEA_HOME", (folder_.path() / "home").c_str(), 1);
    fake_.proposals[CUDNN_HEUR_MODE_A] = {engine(3), engine(1), engine(2)};
    fake_.run = [](const test::FakeRun& run) {
      simt::enqueue(run.stream, [run] { test::evaluate(run); });
      return CUDNN_STATUS_SUCCESS;
    };
    make_convolutions = [this] {
      const auto library = fake_.library();
      library->version = version_;
      return cuda::make_cudnn_convolutions(library, {});
    };
  }

  void TearDown() override {
    EXPECT_EQ(fake_.record().live_objects, 0);
    EXPECT_EQ(fake_.record().misuse, Strings{});
  }

  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  static CompileOptions options() {
    CompileOptions options;
    options.backend = "cuda";
    options.buckets = {1, 2};
    options.threads = 4;  // which a device does not care about
    return options;
  }

  /// LeNet-5, whose two convolutions are cuDNN's, as a plan.
  [[nodiscard]] std::string lenet(const CompileOptions& compiled = options()) const {
    (void)save_plan(open_model("lenet5"), path("lenet5.plan"), compiled);
    return path("lenet5.plan");
  }

  struct Answer {
    std::vector<std::pair<std::int64_t, float>> predictions;
    Strings notices;
    std::map<std::string, int> sources;  ///< of the first device's tactics
    test::FakeRecord happened;           ///< since the model was opened
  };

  static ClassifierOptions classifier_options() {
    ClassifierOptions options;
    options.backend = "cuda";
    options.batch = 2;
    options.threads = 2;
    options.top_k = 10;
    return options;
  }

  /// What the model makes of a picture of noise.
  [[nodiscard]] Answer ask(const std::string& model,
                           const ClassifierOptions& options = classifier_options()) const {
    const test::FakeRecord before = fake_.record();
    Classifier classifier = Classifier::open(model, options);
    std::vector<std::uint8_t> pixels(28 * 28);
    std::mt19937 random(3);
    for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random() % 256);
    const ImageView picture{pixels.data(), 28, 28, 28, PixelFormat::kGray8};
    const std::vector<Result> results = classifier.classify({&picture, 1});
    Answer answer;
    for (const Prediction& prediction : results.at(0).predictions) {
      answer.predictions.emplace_back(prediction.index, prediction.probability);
    }
    const Classifier::Engine engine = classifier.prepare();
    answer.notices = engine.notices;
    for (const ChosenTactic& tactic : explain(*engine.plan).tactics) {
      ++answer.sources[tactic.source];
    }
    answer.happened = fake_.record();
    answer.happened.asked -= before.asked;
    answer.happened.built.erase(
        answer.happened.built.begin(),
        answer.happened.built.begin() + static_cast<std::ptrdiff_t>(before.built.size()));
    return answer;
  }

  static std::size_t from_json(const Answer& answer) {
    return static_cast<std::size_t>(
        std::ranges::count(answer.happened.built, true, &test::FakePlan::from_json));
  }

  /// The plan with other bytes in a section; without any, without the section.
  void rewrite(const std::string& plan,
               std::string_view section,
               const std::optional<std::string>& bytes) const {
    const PlanFile file(plan);
    PlanWriter writer(path("rewritten.plan"));
    for (const PlanSection& known : file.sections()) {
      if (known.name == section && !bytes) continue;
      writer.start(known.name);
      if (known.name == section) {
        writer.write(*bytes);
      } else {
        writer.write(known.bytes);
      }
    }
    (void)writer.commit();
  }

  /// The plan with its state changed.
  void rewrite(const std::string& plan, const std::function<void(SavedState&)>& change) const {
    SavedState state = PlanFile(plan).state();
    change(state);
    rewrite(plan, "state", to_bytes(state));
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  test::FakeCudnn fake_;
  std::string version_ = "9.19.0-fake";
};

TEST_F(CudnnPlanFile, KeepsThePlansOfItsSteps) {
  const SavedState state = PlanFile(lenet()).state();

  EXPECT_EQ(state.size(), 8U) << "engine and plan of two convolutions in two batch sizes";
  for (const auto& [key, text] : state) EXPECT_TRUE(key.ends_with("|eng3:k2.3")) << key;
}

TEST_F(CudnnPlanFile, KeepsNoneOfThoseThatWereOnlyMeasured) {
  CompileOptions tuned = options();
  tuned.tuning = "fast";
  tuned.tuning_seconds = 60;
  tuned.buckets = {1};

  const SavedState state = PlanFile(lenet(tuned)).state();

  EXPECT_GE(fake_.record().built.size(), 6U) << "all engines of two convolutions were measured";
  EXPECT_LE(state.size(), 4U);
}

TEST_F(CudnnPlanFile, IsLoadedWithoutAskingHeuristics) {
  const Answer want = ask("lenet5");
  const std::string plan = lenet();

  const Answer got = ask(plan);

  EXPECT_EQ(got.happened.asked, 0);
  EXPECT_EQ(got.happened.built.size(), 4U);
  EXPECT_EQ(from_json(got), 4U);
  EXPECT_EQ(got.notices, Strings{});
  EXPECT_EQ(got.predictions, want.predictions);
}

TEST_F(CudnnPlanFile, KeepsWhatWasMeasuredForAnyNumberOfThreads) {
  CompileOptions tuned = options();
  tuned.tuning = "fast";
  tuned.tuning_seconds = 60;
  const std::string plan = lenet(tuned);
  std::size_t plans = 0;
  for (const auto& [key, text] : PlanFile(plan).state()) plans += key.starts_with("plan of ");
  fs::remove_all(folder_.path() / "home");  // and its timing cache

  const Answer got = ask(plan);

  EXPECT_EQ(got.happened.asked, 0);
  EXPECT_EQ(got.happened.built.size(), plans);
  EXPECT_EQ(from_json(got), plans);
  EXPECT_EQ(got.notices, Strings{});

  const std::map<std::string, int> all_but_the_tail{{"plan", 2 * 8}, {"heuristic", 2}};
  EXPECT_EQ(got.sources, all_but_the_tail) << "which gives ten labels here, and five in the plan";
}

TEST_F(CudnnPlanFile, ThatItsBackendIsNotHereIsTold) {
  const std::string plan = lenet();
  CompiledFacts facts = PlanFile(plan).facts();
  facts.backend = "elsewhere";
  facts.fingerprint = "another device";
  rewrite(plan, "compiled", to_json(facts));
  ClassifierOptions any = classifier_options();
  any.backend = "auto";

  const Answer got = ask(path("rewritten.plan"), any);

  EXPECT_EQ(got.predictions, ask(plan).predictions);
  ASSERT_EQ(got.notices.size(), 1U);
  EXPECT_NE(got.notices[0].find("was compiled for another machine or library"), std::string::npos);
}

TEST_F(CudnnPlanFile, APlanForTheProcessorStaysThere) {
  CompileOptions host = options();
  host.backend = "cpu";
  const Model model = open_model(lenet(host));
  cuda::emulated::set_device_count(2);
  ClassifierOptions second = classifier_options();
  second.backend = "auto";
  second.devices = {1};

  EXPECT_EQ(model.default_backend(), "cpu");
  try {
    (void)Classifier::open(model, second);
    ADD_FAILURE() << "the processor is one device";
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find("'cpu' has one device"), std::string::npos);
  }
  cuda::emulated::set_device_count(1);
}

TEST_F(CudnnPlanFile, APlanOfAPlanIsTheSamePlan) {
  const auto first = read_file(lenet());

  (void)save_plan(open_model(path("lenet5.plan")), path("again.plan"), options());

  EXPECT_EQ(read_file(path("again.plan")), first);
}

TEST_F(CudnnPlanFile, OtherBatchSizesAreCompiledAsEver) {
  const std::string plan = lenet();
  ClassifierOptions other = classifier_options();
  other.batch = 3;

  const Answer got = ask(plan, other);

  EXPECT_EQ(from_json(got), 2U);
  EXPECT_EQ(got.happened.built.size(), 4U);
  EXPECT_EQ(got.notices, Strings{});
}

TEST_F(CudnnPlanFile, WhoeverMeasuresChoosesAmongAll) {
  const std::string plan = lenet();
  ClassifierOptions tuned = classifier_options();
  tuned.tuning = "fast";
  tuned.tuning_seconds = 60;

  EXPECT_GT(ask(plan, tuned).happened.asked, 0);
}

TEST_F(CudnnPlanFile, ADamagedPlanIsBuiltFromItsEngine) {
  const Answer want = ask("lenet5");
  rewrite(lenet(), [](SavedState& state) {
    const auto damaged = std::ranges::find_if(
        state, [](const auto& entry) { return entry.first.starts_with("plan of "); });
    damaged->second.resize(damaged->second.size() / 2);
  });

  const Answer got = ask(path("rewritten.plan"));

  EXPECT_EQ(got.happened.asked, 0);
  EXPECT_EQ(got.happened.built.size(), 4U);
  EXPECT_EQ(from_json(got), 3U);
  EXPECT_EQ(got.predictions, want.predictions);
  ASSERT_EQ(got.notices.size(), 1U);
  EXPECT_TRUE(got.notices[0].starts_with("1 of cuDNN's saved plans could not be loaded"))
      << got.notices[0];
}

TEST_F(CudnnPlanFile, WhereTheEngineRefusesToTheHeuristicsDecide) {
  const Answer want = ask("lenet5");
  const std::string plan = lenet();
  fake_.build = [](const test::FakePlan& asked) {
    return asked.engine.index == 3 ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_SUCCESS;
  };

  const Answer got = ask(plan);

  EXPECT_GT(got.happened.asked, 0);
  EXPECT_EQ(from_json(got), 0U);
  EXPECT_EQ(got.predictions, want.predictions);
  ASSERT_EQ(got.notices.size(), 2U) << "the plans, and the tactics that are no more";
}

TEST_F(CudnnPlanFile, AnotherVersionCompilesAnew) {
  const Answer want = ask("lenet5");
  const std::string plan = lenet();
  version_ = "9.20.0-fake";

  const Answer got = ask(plan);

  EXPECT_EQ(from_json(got), 0U);
  EXPECT_GT(got.happened.asked, 0);
  EXPECT_EQ(got.predictions, want.predictions);
  ASSERT_EQ(got.notices.size(), 1U);
  EXPECT_NE(got.notices[0].find("was compiled for another machine or library"), std::string::npos)
      << got.notices[0];
}

TEST_F(CudnnPlanFile, AFileWithoutAStateIsOneOfBefore) {
  const Answer want = ask("lenet5");
  rewrite(lenet(), "state", std::nullopt);

  const Answer got = ask(path("rewritten.plan"));

  EXPECT_GT(got.happened.asked, 0);
  EXPECT_EQ(got.predictions, want.predictions);
  EXPECT_EQ(got.notices, Strings{});
}

/// With hashes that fit: only what does not belong there at all is refused.
TEST_F(CudnnPlanFile, AnyStateIsRefusedOrOfNoHarm) {
  const Answer want = ask("lenet5");
  const std::string plan = lenet();
  const std::string state = to_bytes(PlanFile(plan).state());
  std::mt19937 random(11);
  std::size_t refused = 0;
  std::size_t used = 0;
  for (int i = 0; i < 60; ++i) {
    SCOPED_TRACE(i);
    std::string changed = state;
    if (i % 2 == 0) {
      changed[random() % changed.size()] = static_cast<char>(random() % 256);
    } else {
      changed.resize(random() % changed.size());
    }
    rewrite(plan, "state", changed);
    try {
      EXPECT_EQ(ask(path("rewritten.plan")).predictions, want.predictions);
      ++used;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kPlanCorrupt) << error.what();
      EXPECT_NE(std::string(error.what()).find("section 'state': entry "), std::string::npos)
          << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 10U);
  EXPECT_GT(used, 5U);
}

TEST_F(CudnnPlanFile, AFurtherDeviceTakesOverWhatTheFirstFoundOut) {
  for (const std::string tuning : {"off", "fast"}) {
    SCOPED_TRACE(tuning);
    ClassifierOptions one = classifier_options();
    one.tuning = tuning;
    if (tuning != "off") one.tuning_seconds = 60;
    ClassifierOptions two = one;
    two.devices = {1, 0};
    cuda::emulated::set_device_count(2);
    fs::remove_all(folder_.path() / "home");  // so that nothing is in the timing cache
    const Answer want = ask("lenet5", one);
    fs::remove_all(folder_.path() / "home");

    const Answer got = ask("lenet5", two);

    EXPECT_EQ(got.happened.asked, want.happened.asked);
    EXPECT_EQ(from_json(got), 4U) << "two convolutions in two batch sizes";
    EXPECT_EQ(got.happened.built.size(), want.happened.built.size() + 4);
    EXPECT_EQ(got.predictions, want.predictions);
    cuda::emulated::set_device_count(1);
  }
}

TEST_F(CudnnPlanFile, AFurtherDeviceOfAnotherKindIsCompiledForItself) {
  ClassifierOptions two = classifier_options();
  two.devices = {0, 1};
  cuda::emulated::set_device_count(2);
  const Answer want = ask("lenet5");
  make_convolutions = [this, made = 0]() mutable {
    const auto library = fake_.library();
    library->version = cat("9.19.", ++made);
    return cuda::make_cudnn_convolutions(library, {});
  };

  const Answer got = ask("lenet5", two);

  EXPECT_EQ(got.happened.asked, 2 * want.happened.asked);
  EXPECT_EQ(from_json(got), 0U);
  EXPECT_EQ(got.predictions, want.predictions);
  EXPECT_EQ(got.notices, Strings{});
  const Answer from_plan = ask(lenet(), two);
  ASSERT_EQ(from_plan.notices.size(), 2U) << "neither device is of the kind that compiled it";
  cuda::emulated::set_device_count(1);
}

/// The convolutions of LeNet-5 with the reason that each has.
std::vector<std::string> refusals(const Plan& plan) {
  std::vector<std::string> found;
  for (const ChosenTactic& chosen : explain(plan).tactics) {
    if (!chosen.refusal.empty()) found.push_back(cat(chosen.node, ": ", chosen.refusal));
  }
  return found;
}

TEST_F(CudnnPlanFile, SaysWhereThereIsNoCudnn) {
  make_convolutions = [] {
    return std::make_unique<cuda::NoConvolutions>("cuDNN is not found: there is no such file");
  };

  const auto plan = compile(open_model("lenet5").graph(), options());

  EXPECT_EQ(refusals(*plan),
            (Strings{"c1: cuDNN is not found: there is no such file",
                     "c3: cuDNN is not found: there is no such file",
                     "c1: cuDNN is not found: there is no such file",
                     "c3: cuDNN is not found: there is no such file"}));
  ASSERT_EQ(plan->notices().size(), 1U) << "one reason, however many steps";
  EXPECT_TRUE(plan->notices()[0].starts_with("2 operations are computed by other kernels than"))
      << plan->notices()[0];
  EXPECT_TRUE(plan->notices()[0].ends_with("cuDNN is not found: there is no such file"))
      << plan->notices()[0];
}

TEST_F(CudnnPlanFile, SaysWhatCudnnRefuses) {
  fake_.build = [](const test::FakePlan&) { return CUDNN_STATUS_NOT_SUPPORTED; };
  fake_.logged_reason = "the moon is full";

  const auto plan = compile(open_model("lenet5").graph(), options());

  ASSERT_EQ(refusals(*plan).size(), 4U);
  EXPECT_NE(refusals(*plan)[0].find("FAKE_STATUS_3000: the moon is full"), std::string::npos)
      << refusals(*plan)[0];
  EXPECT_EQ(plan->notices().size(), 1U);
}

TEST_F(CudnnPlanFile, SaysNothingWhereCudnnComputes) {
  const auto plan = compile(open_model("lenet5").graph(), options());

  EXPECT_EQ(refusals(*plan), Strings{});
  EXPECT_TRUE(plan->notices().empty());
}

}  // namespace
}  // namespace fovea
