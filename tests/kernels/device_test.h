// What kernel tests run on: the emulated device in every schedule, or a GPU, as they are linked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "engine/backend/cuda/device.h"
#include "engine/core/tensor_view.h"
#include "tests/support/strided.h"

namespace fovea::test {

/// How often every test runs: once per schedule of the emulator, once on a GPU.
[[nodiscard]] int device_runs();

/// Prepares run `run` of device_runs(); skips the test where no device can be used.
void prepare_device(int run);

/// Of it floats of every type are NaN, and i32 is -1.
inline constexpr std::byte kPoison{0xFF};

/// Elements in device memory of exactly their size, so that AddressSanitizer sees one too many.
template <typename T>
class DeviceArray {
 public:
  /// Every byte is kPoison: a GPU would give the answer of the run before to a kernel that writes
  /// none.
  explicit DeviceArray(std::size_t size)
      : DeviceArray(size, std::vector<std::byte>(size * sizeof(T), kPoison).data()) {}

  explicit DeviceArray(const std::vector<T>& values)
      : DeviceArray(values.size(), reinterpret_cast<const std::byte*>(values.data())) {}

  [[nodiscard]] T* data() const { return reinterpret_cast<T*>(memory_.get()); }

  /// The content after everything that was enqueued on `stream`.
  [[nodiscard]] std::vector<T> download(cudaStream_t stream) const {
    std::vector<T> values(size_);
    auto* target = reinterpret_cast<std::byte*>(values.data());
    cuda::copy_to_host(target, memory_.get(), size_ * sizeof(T), stream);
    cuda::synchronize(stream);
    return values;
  }

 private:
  DeviceArray(std::size_t size, const std::byte* content)
      : size_(size), memory_(cuda::allocate(size * sizeof(T))) {
    const cuda::StreamHandle stream = cuda::make_stream();
    cuda::copy_to_device(memory_.get(), content, size * sizeof(T), stream.get());
    cuda::synchronize(stream.get());
  }

  std::size_t size_;
  std::shared_ptr<std::byte> memory_;
};

/// Instantiate with FOVEA_ON_EVERY_DEVICE_RUN.
class DeviceTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    prepare_device(GetParam());
    if (!IsSkipped()) stream_ = cuda::make_stream();
  }

  void TearDown() override { prepare_device(0); }

  [[nodiscard]] cudaStream_t stream() const { return stream_.get(); }

 private:
  cuda::StreamHandle stream_;
};

// FOVEA_TEST_DEVICE is Emulated or Gpu: in a build with both, tests need two names.
#define FOVEA_ON_EVERY_DEVICE_RUN(Suite) FOVEA_ON_EVERY_RUN_OF(FOVEA_TEST_DEVICE, Suite)
#define FOVEA_ON_EVERY_RUN_OF(Device, Suite) \
  INSTANTIATE_TEST_SUITE_P(Device, Suite, testing::Range(0, ::fovea::test::device_runs()))

/// Normally distributed numbers; the seed is that of the case.
inline std::vector<float> random_floats(std::size_t size, unsigned seed, float deviation = 1.0F) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, deviation);
  std::vector<float> values(size);
  for (float& value : values) value = normal(random);
  return values;
}

/// Result of an operator's own definition. Every input is a description and its elements.
struct HostTensor {
  TensorDesc desc;
  std::vector<float> values;
};

template <typename Op>
std::vector<float> evaluated(const Op& op, const std::vector<HostTensor>& inputs) {
  std::vector<TensorDesc> descs;
  std::vector<ConstTensorView> views;
  for (const HostTensor& input : inputs) {
    descs.push_back(input.desc);
    views.push_back({&input.desc, reinterpret_cast<const std::byte*>(input.values.data())});
  }
  const TensorDesc desc = op.infer(descs).at(0);
  std::vector<float> values(static_cast<std::size_t>(num_elements(desc.shape)));
  const TensorView output{&desc, reinterpret_cast<std::byte*>(values.data())};
  op.evaluate(views, {&output, 1});
  return values;
}

}  // namespace fovea::test
