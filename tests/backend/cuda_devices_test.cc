// Several devices in one process: each backend stays on its own, whichever thread asks.
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/emulated_device.h"
#include "tests/support/small_classifier.h"

namespace fovea {
namespace {

namespace emulated = cuda::emulated;

class CudaDevices : public testing::Test {
 protected:
  void SetUp() override { emulated::set_device_count(2); }

  void TearDown() override {
    cuda::use_device(0);
    emulated::set_device_count(1);
    for (const int device : {0, 1}) emulated::set_capacity(0, device);
    (void)emulated::fail_no_call();
  }
};

TEST_F(CudaDevices, AreNumberedFromZero) {
  EXPECT_EQ(make_cuda_emu_backend(1)->name(), "cuda-emu");
  for (const int device : {-1, 2}) {
    try {
      (void)make_cuda_emu_backend(device);
      FAIL() << "there is no device " << device;
    } catch (const DeviceError& error) {
      EXPECT_EQ(error.code(), ErrorCode::kDeviceNone);
      EXPECT_NE(std::string(error.what()).find("the CUDA devices 0 to 1"), std::string::npos)
          << error.what();
    }
  }
}

TEST_F(CudaDevices, HaveMemoryOfTheirOwn) {
  const std::array backends{make_cuda_emu_backend(0), make_cuda_emu_backend(1)};
  const std::array before{emulated::device_bytes(0), emulated::device_bytes(1)};
  emulated::set_capacity(before[1] + 1000, 1);

  const auto first = backends[0]->allocate(5000);
  const auto second = backends[1]->allocate(700);

  EXPECT_EQ(emulated::device_bytes(0), before[0] + 5000);
  EXPECT_EQ(emulated::device_bytes(1), before[1] + 700);
  EXPECT_EQ(backends[1]->memory_info().free_bytes, 300U);
  EXPECT_GT(backends[0]->memory_info().free_bytes, 300U);
  EXPECT_THROW((void)backends[1]->allocate(301), DeviceError);
}

TEST_F(CudaDevices, MayBeUsedByAnyThread) {
  const std::array backends{make_cuda_emu_backend(0), make_cuda_emu_backend(1)};
  const std::vector<std::byte> sent(64, std::byte{7});
  for (const auto& backend : backends) {
    const auto memory = backend->allocate(sent.size());
    const auto stream = backend->make_stream(1);
    const auto event = stream->make_event();
    std::vector<std::byte> got(sent.size());
    cuda::use_device(backend == backends[0] ? 1 : 0);  // as if the other one had just been used

    std::jthread([&] {
      stream->upload(memory.get(), sent.data(), sent.size());
      stream->record(*event);
    }).join();
    stream->download(got.data(), memory.get(), got.size());
    stream->synchronize();

    EXPECT_EQ(got, sent);
  }
}

TEST_F(CudaDevices, AreNotMixedUp) {
  const std::array backends{make_cuda_emu_backend(0), make_cuda_emu_backend(1)};
  const auto memory = backends[0]->allocate(64);
  const auto stream = backends[1]->make_stream(1);
  const std::vector<std::byte> sent(64);

  EXPECT_THROW(stream->upload(memory.get(), sent.data(), sent.size()), DeviceError);
}

/// What the emulated device knows of a device's streams: the real one refuses the same.
TEST_F(CudaDevices, AStreamIsUsedWhileItsDeviceIsCurrent) {
  cuda::use_device(1);
  const cuda::StreamHandle stream = cuda::make_stream();
  const cuda::EventHandle event = cuda::make_event();
  cuda::record(event.get(), stream.get());
  cuda::use_device(0);
  EXPECT_THROW(cuda::record(event.get(), stream.get()), DeviceError);
}

class TeamsOfDevices : public CudaDevices {
 protected:
  [[nodiscard]] PictureTeam team(std::size_t threads) const {
    return {plans_, test::small_classifier_spec(), labels_, threads};
  }

  const std::vector<Label> labels_ = test::small_classifier_labels();
  const test::Answers want_ = test::known_answers(labels_, 60);
  std::vector<std::shared_ptr<const ExecutionPlan>> plans_;

  void SetUp() override {
    CudaDevices::SetUp();
    for (const int device : {0, 1}) {
      plans_.push_back(test::small_classifier_on(make_cuda_emu_backend(device)));
    }
  }
};

TEST_F(TeamsOfDevices, AnswerInOrder) {
  for (const std::size_t threads : {1U, 2U, 7U}) {
    const PictureTeam both = team(threads);
    std::size_t asked = 0;
    test::Answers answers;

    run_ordered(test::answers_run(both, want_.size(), asked, answers));

    ASSERT_EQ(answers.size(), want_.size());
    for (std::size_t i = 0; i < want_.size(); ++i) {
      ASSERT_EQ(answers[i].size(), want_[i].size()) << i;
      for (std::size_t j = 0; j < want_[i].size(); ++j) {
        EXPECT_NEAR(answers[i][j].second, want_[i][j].second, 1e-5F) << i;
      }
    }
  }
}

TEST_F(TeamsOfDevices, HaveWorkersAndMemoryOnEach) {
  const std::array before{emulated::device_bytes(0), emulated::device_bytes(1)};
  const PictureTeam both = team(8);

  EXPECT_EQ(both.size(), 2U * (8 / 2 + 1));
  const std::size_t first = emulated::device_bytes(0) - before[0];
  EXPECT_GT(first, 0U);
  EXPECT_EQ(emulated::device_bytes(1) - before[1], first);
  EXPECT_EQ(both.device_bytes(), 2 * first);
  EXPECT_EQ(team(1).size(), 6U) << "three keep a device busy";
}

TEST_F(TeamsOfDevices, OneThatFailsEndsTheRun) {
  const PictureTeam both = team(2);
  std::size_t asked = 0;
  test::Answers answers;
  emulated::fail_call(20, emulated::Failure::kOfItsWork);

  EXPECT_THROW(run_ordered(test::answers_run(both, want_.size(), asked, answers)), DeviceError);

  EXPECT_FALSE(emulated::fail_no_call());
  EXPECT_LT(answers.size(), want_.size());
}

}  // namespace
}  // namespace fovea
