// Streams, events, captures and memory of the emulated device: that forgotten waits show.
#include "engine/backend/cuda/cuda_stream.h"

#include <array>
#include <cmath>
#include <cstring>
#include <span>

#include <gtest/gtest.h>

#include <fovea/error.h>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/emulated_device.h"
#include "kernels/simt/emulator.h"
#include "kernels/simt/stream.h"

namespace fovea {
namespace {

class CudaStreamTest : public testing::Test {
 protected:
  using Bytes = std::array<std::byte, 16>;

  static Bytes filled(int value) {
    Bytes bytes{};
    bytes.fill(static_cast<std::byte>(value));
    return bytes;
  }

  const std::unique_ptr<Backend> backend_ = make_cuda_emu_backend();
  const std::unique_ptr<Stream> stream_ = backend_->make_stream(1);
  const std::unique_ptr<Stream> other_ = backend_->make_stream(1);
  const std::shared_ptr<std::byte> memory_ = backend_->allocate(sizeof(Bytes));
};

TEST_F(CudaStreamTest, DownloadArrivesWhenSomebodyWaits) {
  const Bytes source = filled(1);
  Bytes result = filled(2);

  stream_->upload(memory_.get(), source.data(), source.size());
  stream_->download(result.data(), memory_.get(), result.size());
  EXPECT_EQ(result, filled(2));
  stream_->synchronize();

  EXPECT_EQ(result, source);
}

TEST_F(CudaStreamTest, AnUploadReadsItsSourceLate) {
  Bytes source = filled(1);
  Bytes result{};

  stream_->upload(memory_.get(), source.data(), source.size());
  source = filled(3);  // too early: this is what the test is about
  stream_->download(result.data(), memory_.get(), result.size());
  stream_->synchronize();

  EXPECT_EQ(result, filled(3));
}

TEST_F(CudaStreamTest, AStreamDoesNotWaitForAnotherByItself) {
  const Bytes source = filled(1);
  Bytes result{};

  stream_->upload(memory_.get(), source.data(), source.size());
  other_->download(result.data(), memory_.get(), result.size());
  other_->synchronize();

  EXPECT_NE(result, source);
}

TEST_F(CudaStreamTest, AnEventOrdersTwoStreams) {
  const Bytes source = filled(1);
  Bytes result{};
  const std::unique_ptr<Event> uploaded = stream_->make_event();

  stream_->upload(memory_.get(), source.data(), source.size());
  stream_->record(*uploaded);
  other_->wait(*uploaded);
  other_->download(result.data(), memory_.get(), result.size());
  other_->synchronize();

  EXPECT_EQ(result, source);
}

TEST_F(CudaStreamTest, AnEventCoversTheWorkBeforeItAndNoMore) {
  const Bytes first = filled(1);
  const Bytes second = filled(2);
  Bytes result{};
  const std::unique_ptr<Event> event = stream_->make_event();
  event->synchronize();  // never recorded: returns

  stream_->upload(memory_.get(), first.data(), first.size());
  stream_->download(result.data(), memory_.get(), result.size());
  stream_->record(*event);
  stream_->upload(memory_.get(), second.data(), second.size());
  stream_->download(result.data(), memory_.get(), result.size());
  event->synchronize();
  EXPECT_EQ(result, first);
  stream_->synchronize();

  EXPECT_EQ(result, second);
}

TEST_F(CudaStreamTest, AnEventOutlivesItsStream) {
  const Bytes source = filled(1);
  Bytes result{};
  std::unique_ptr<Stream> short_lived = backend_->make_stream(1);
  const std::unique_ptr<Event> event = short_lived->make_event();

  short_lived->upload(memory_.get(), source.data(), source.size());
  short_lived->download(result.data(), memory_.get(), result.size());
  short_lived->record(*event);
  short_lived.reset();
  event->synchronize();

  EXPECT_EQ(result, source);
}

TEST_F(CudaStreamTest, EventsMeasureTime) {
  const std::unique_ptr<Event> start = stream_->make_event();
  const std::unique_ptr<Event> stop = stream_->make_event();

  stream_->record(*start);
  simt::enqueue(cuda::as_cuda(*stream_), [] {
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(3)) {
    }
  });
  stream_->record(*stop);
  stop->synchronize();

  EXPECT_GE(stop->elapsed_ms_since(*start), 3.0F);
  EXPECT_LT(stop->elapsed_ms_since(*start), 60'000.0F);
}

TEST_F(CudaStreamTest, ACaptureRunsOnlyWhenItIsReplayed) {
  int runs = 0;
  stream_->begin_capture();
  simt::enqueue(cuda::as_cuda(*stream_), [&runs] { ++runs; });
  const std::unique_ptr<Replay> replay = stream_->end_capture();
  stream_->synchronize();
  EXPECT_EQ(runs, 0);

  stream_->replay(*replay);
  stream_->replay(*replay);
  EXPECT_EQ(runs, 0);
  stream_->synchronize();

  EXPECT_EQ(runs, 2);
}

TEST_F(CudaStreamTest, AFailureOfTheDeviceIsThrownByTheNextWait) {
  simt::enqueue(cuda::as_cuda(*stream_), [] { throw simt::EmulationError("planted"); });
  EXPECT_THROW(stream_->synchronize(), DeviceError);
  EXPECT_NO_THROW(stream_->synchronize());
}

/// As on a device, whose failure nobody can miss.
TEST_F(CudaStreamTest, AFailureIsThrownByEveryStreamThatLostWork) {
  Bytes result{};
  const std::unique_ptr<Stream> idle = backend_->make_stream(1);
  const std::unique_ptr<Event> event = other_->make_event();
  other_->download(result.data(), memory_.get(), result.size());
  other_->record(*event);
  simt::enqueue(cuda::as_cuda(*stream_), [] { throw simt::EmulationError("planted"); });
  stream_->upload(memory_.get(), result.data(), result.size());
  EXPECT_THROW(stream_->synchronize(), DeviceError);

  EXPECT_NO_THROW(idle->synchronize());
  EXPECT_THROW(event->synchronize(), DeviceError);
  EXPECT_EQ(result, Bytes{}) << "it ran on a device that had failed";
}

TEST_F(CudaStreamTest, AFailureReachesWhoWaitsForIt) {
  const std::unique_ptr<Event> event = stream_->make_event();
  simt::set_stream_order(simt::StreamOrder::kRandom, 3);
  for (int i = 0; i < 50; ++i) {
    simt::enqueue(cuda::as_cuda(*stream_), [] { throw simt::EmulationError("planted"); });
    stream_->record(*event);
    other_->wait(*event);
    EXPECT_THROW(other_->synchronize(), DeviceError);
    EXPECT_THROW(stream_->synchronize(), DeviceError);
  }
  simt::set_stream_order(simt::StreamOrder::kOnDemand);
}

TEST_F(CudaStreamTest, CopiesOnTheDevice) {
  const Bytes source = filled(9);
  Bytes result{};
  const std::shared_ptr<std::byte> there = backend_->allocate(sizeof(Bytes));

  stream_->upload(memory_.get(), source.data(), source.size());
  stream_->copy(there.get(), memory_.get(), source.size());
  stream_->download(result.data(), there.get(), result.size());
  stream_->synchronize();

  EXPECT_EQ(result, source);
}

TEST_F(CudaStreamTest, CopiesOfMemoryThatIsNotPageLockedAreCounted) {
  Bytes pageable{};
  const std::shared_ptr<std::byte> pinned = backend_->allocate_host(sizeof(Bytes));
  const std::uint64_t before = cuda::emulated::pageable_copies();

  stream_->upload(memory_.get(), pinned.get(), sizeof(Bytes));
  stream_->upload(memory_.get(), pinned.get() + 4, sizeof(Bytes) - 4);
  stream_->download(pinned.get(), memory_.get(), sizeof(Bytes));
  stream_->download(nullptr, memory_.get(), 0);
  EXPECT_EQ(cuda::emulated::pageable_copies(), before);
  stream_->upload(memory_.get(), pageable.data(), sizeof(Bytes));
  EXPECT_EQ(cuda::emulated::pageable_copies(), before + 1);
  stream_->download(pageable.data(), memory_.get(), sizeof(Bytes));
  EXPECT_EQ(cuda::emulated::pageable_copies(), before + 2);
  stream_->upload(memory_.get(), pinned.get() + 1, sizeof(Bytes));  // half of it; is never run
  EXPECT_EQ(cuda::emulated::pageable_copies(), before + 3);
}

TEST_F(CudaStreamTest, CapturedWorkWaitsForNothingOutside) {
  const std::unique_ptr<Event> event = other_->make_event();
  other_->record(*event);
  stream_->begin_capture();
  EXPECT_THROW(stream_->wait(*event), DeviceError);
  (void)stream_->end_capture();
}

TEST_F(CudaStreamTest, CapturingTwiceIsADeviceError) {
  stream_->begin_capture();
  EXPECT_THROW(stream_->begin_capture(), DeviceError);
  (void)stream_->end_capture();
  EXPECT_THROW((void)stream_->end_capture(), DeviceError);
}

TEST(CudaMemory, IsAlignedAndNanUntilItIsWritten) {
  const std::unique_ptr<Backend> backend = make_cuda_emu_backend();
  const std::shared_ptr<std::byte> memory = backend->allocate(40);

  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.get()) % kBufferAlignment, 0U);
  for (std::size_t i = 0; i < 10; ++i) {
    float value = 0.0F;
    std::memcpy(&value, memory.get() + i * sizeof(float), sizeof(float));
    EXPECT_TRUE(std::isnan(value));
  }
}

TEST(CudaMemory, ThatDoesNotFitIsOutOfMemory) {
  const std::unique_ptr<Backend> backend = make_cuda_emu_backend();
  try {
    (void)backend->allocate(std::size_t{1} << 60);
    FAIL() << "a quintillion bytes were found";
  } catch (const DeviceError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kDeviceOutOfMemory) << error.what();
  }
}

TEST(CudaMemory, IsCountedAndLimited) {
  const std::unique_ptr<Backend> backend = make_cuda_emu_backend();
  const std::size_t before = cuda::emulated::device_bytes();
  cuda::emulated::set_capacity(before + 1000);
  {
    const auto memory = backend->allocate(600);
    EXPECT_EQ(cuda::emulated::device_bytes(), before + 600);
    EXPECT_EQ(backend->memory_info().free_bytes, 400U);
    EXPECT_THROW((void)backend->allocate(401), DeviceError);
    EXPECT_NO_THROW((void)backend->allocate(400));
    EXPECT_NO_THROW((void)backend->allocate_host(5000)) << "not of the device";
  }
  EXPECT_EQ(cuda::emulated::device_bytes(), before);
  EXPECT_EQ(backend->memory_info().free_bytes, 1000U);
  cuda::emulated::set_capacity(0);
}

/// Writes where nobody may, through a volatile pointer that the compiler cannot see through.
void write_outside(std::ptrdiff_t index) {
  const std::shared_ptr<std::byte> memory = make_cuda_emu_backend()->allocate(10);
  volatile std::byte* outside = memory.get() + index;
  *outside = std::byte{1};
}

TEST(CudaMemoryDeathTest, AWriteOutsideIsFound) {
  // AddressSanitizer's words, or ours without it.
  const char* found = "use-after-poison|a write outside of 10 bytes";
  EXPECT_DEATH(write_outside(10), found);
  EXPECT_DEATH(write_outside(-1), found);
  EXPECT_EXIT((write_outside(9), std::exit(0)), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace fovea
