// cuDNN's plans of a whole network, made in threads while other threads ask for them.
#include <algorithm>
#include <atomic>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cudnn_convolutions.h"
#include "engine/backend/cuda/cudnn_site.h"
#include "engine/core/require.h"
#include "tests/backend/one_convolution.h"
#include "tests/support/errors.h"
#include "tests/support/fake_cudnn.h"
#include "tests/support/meeting.h"

namespace fovea {
namespace {

using Strings = std::vector<std::string>;

constexpr std::int64_t kConvolutions = 12;

class CudnnThreads : public testing::Test {
 protected:
  CudnnThreads() {
    fake_.proposals[CUDNN_HEUR_MODE_A] = {{.engine = {1, {}}}};
    for (std::int64_t filters = 1; filters <= kConvolutions; ++filters) {
      graphs_.push_back(test::one_convolution({2, 4, 4, 8}, {1, 1}, filters, {}, 1));
    }
    for (const Graph& graph : graphs_) {
      const Node& node = graph.node(graph.find("conv"));
      // Twice, as most convolutions of a network are.
      for (int i = 0; i < 2; ++i) {
        sites_.push_back({.graph = graph, .node = node, .inputs = std::vector<Layout>(2)});
      }
    }
  }

  void TearDown() override {
    EXPECT_EQ(fake_.record().live_objects, 0);
    EXPECT_EQ(fake_.record().misuse, Strings{});
  }

  /// What all steps of such a network save; the plan of every second convolution is damaged.
  [[nodiscard]] SavedState half_damaged() const {
    SavedState state;
    cuda::CudnnPlans plans(fake_.library(), {});
    std::size_t number = 0;
    for (const OpSite& site : sites_) {
      const auto conv = cuda::describe(site, site.inputs, Layout{}, cuda::CudnnBias::kNone);
      SavedState of_site;
      cuda::save({.asked = *conv,
                  .engine = {.candidate = {.engine = {1, {}}}, .rank = 0},
                  .plans = {{*conv, plans.plan(*conv, {1, {}})}}},
                 of_site);
      const bool damages = number++ / 2 % 2 == 0;
      for (auto& [key, text] : of_site) {
        if (damages && key.starts_with("plan of ")) text = "{";
      }
      state.merge(of_site);
    }
    return state;
  }

  test::FakeCudnn fake_;
  std::vector<Graph> graphs_;
  std::vector<OpSite> sites_;
};

TEST_F(CudnnThreads, BuildsEachDistinctPlanOnceInFewThreads) {
  const std::size_t most = std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
  test::Meeting meeting;
  fake_.build = [&](const test::FakePlan&) {
    if (most > 1) meeting.come();
    return CUDNN_STATUS_SUCCESS;
  };
  std::atomic<int> entered = 0;
  const auto library = cuda::make_cudnn_convolutions(
      fake_.library(), {.properties = {}, .enter_thread = [&] { ++entered; }});

  library->prepare(sites_);

  EXPECT_EQ(fake_.record().built.size(), static_cast<std::size_t>(kConvolutions));
  EXPECT_LE(meeting.size(), most);
  EXPECT_EQ(meeting.size() > 1, most > 1);
  EXPECT_EQ(entered, static_cast<int>(most) - 1) << "every thread makes the device its own";
}

TEST_F(CudnnThreads, OthersMayAskMeanwhile) {
  const auto library = cuda::make_cudnn_convolutions(fake_.library(), {});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back([&] { library->prepare(sites_); });
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        for (const OpSite& site : sites_) EXPECT_EQ(library->tactics(site).size(), 1U);
      });
    }
  }

  EXPECT_EQ(fake_.record().built.size(), static_cast<std::size_t>(kConvolutions));
}

TEST_F(CudnnThreads, SavedPlansAreLoadedInThem) {
  const SavedState state = half_damaged();
  const auto library = cuda::make_cudnn_convolutions(fake_.library(), {});
  library->restore(state);
  const std::size_t before = fake_.record().built.size();

  {
    const std::jthread other([&] { library->prepare(sites_); });
    for (const OpSite& site : sites_) EXPECT_EQ(library->tactics(site).size(), 1U);
  }

  EXPECT_EQ(fake_.record().asked, 0);
  const auto built = fake_.record().built;
  EXPECT_EQ(built.size() - before, static_cast<std::size_t>(kConvolutions));
  EXPECT_EQ(std::ranges::count(built, true, &test::FakePlan::from_json), kConvolutions / 2);
  ASSERT_EQ(library->notices().size(), 1U);
  EXPECT_TRUE(library->notices()[0].starts_with("6 of cuDNN's saved plans"))
      << library->notices()[0];
}

TEST_F(CudnnThreads, ADeviceThatOnlyTheCallerHasIsEnough) {
  const auto library = cuda::make_cudnn_convolutions(
      fake_.library(),
      {.properties = {}, .enter_thread = [] { throw DeviceError("it is not for others"); }});

  library->prepare(sites_);

  EXPECT_EQ(fake_.record().built.size(), static_cast<std::size_t>(kConvolutions));
}

/// prepare() does not tell: whoever asks then is told, by the same error.
TEST_F(CudnnThreads, AFailureIsToldToWhoeverAsks) {
  const auto library = cuda::make_cudnn_convolutions(fake_.library(), {});
  fake_.failing_call = 0;  // which makes a handle

  library->prepare({sites_.data(), 1});

  const std::int64_t calls = fake_.record().calls;
  EXPECT_THROW((void)library->tactics(sites_[0]), DeviceError);
  EXPECT_EQ(fake_.record().calls, calls) << "it is not tried again";
}

/// What was the lack of a moment is none for ever.
TEST_F(CudnnThreads, MemoryIsAskedForAgain) {
  std::atomic<bool> is_full = true;
  std::atomic<int> refused = 0;
  fake_.build = [&](const test::FakePlan&) {
    refused += is_full ? 1 : 0;
    return is_full ? CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED : CUDNN_STATUS_SUCCESS;
  };
  const auto library = cuda::make_cudnn_convolutions(fake_.library(), {});

  library->prepare(sites_);
  EXPECT_EQ(refused, static_cast<int>(kConvolutions));
  test::expect_error(
      ErrorCode::kDeviceOutOfMemory, "building a plan", [&] { (void)library->tactics(sites_[0]); });
  EXPECT_EQ(refused, static_cast<int>(kConvolutions) + 1);

  is_full = false;
  for (const OpSite& site : sites_) EXPECT_EQ(library->tactics(site).size(), 1U);
  EXPECT_EQ(fake_.record().built.size(), static_cast<std::size_t>(kConvolutions));
}

TEST_F(CudnnThreads, HeuristicsWithoutMemoryAreAskedAgain) {
  const auto asked_in_vain = [&](std::int64_t call) {
    fake_.failing_call = call;
    fake_.failure = CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
    const auto library = cuda::make_cudnn_convolutions(fake_.library(), {});
    const std::string error = test::error_of([&] { (void)library->tactics(sites_[0]); });
    EXPECT_TRUE(error.starts_with("device/out-of-memory")) << error;
    EXPECT_EQ(library->tactics(sites_[0]).size(), 1U) << "call " << call;
  };
  const std::int64_t calls = [&] {
    (void)cuda::make_cudnn_convolutions(fake_.library(), {})->tactics(sites_[0]);
    return fake_.record().calls;
  }();

  ASSERT_GT(calls, 50);
  for (std::int64_t call = 0; call < calls; ++call) asked_in_vain(fake_.record().calls + call);
}

/// As a thread that throws is the end of the process.
TEST_F(CudnnThreads, TheHostMayLackMemoryAsWell) {
  auto table = fake_.library();
  table->create_descriptor = [](cudnnBackendDescriptorType_t,
                                cudnnBackendDescriptor_t*) -> cudnnStatus_t {
    throw std::bad_alloc();
  };
  const auto library = cuda::make_cudnn_convolutions(table, {});

  library->prepare(sites_);

  EXPECT_THROW((void)library->tactics(sites_[0]), std::bad_alloc);
}

}  // namespace
}  // namespace fovea
