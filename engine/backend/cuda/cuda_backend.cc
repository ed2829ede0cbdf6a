#include "engine/backend/cuda/cuda_backend.h"

#include <utility>

#include "engine/backend/cuda/cuda_stream.h"
#include "engine/backend/cuda/device.h"
#include "engine/backend/cuda/expected_time.h"
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/lowerings.h"
#include "engine/backend/cuda/packed_constant.h"
#include "engine/backend/cuda/picture_table.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

/// Of the kernels that are our own and of the weights packed for them. To be raised where a kernel
/// becomes faster or slower, since times that were measured before then no longer count, and where
/// weights are packed or rounded into other bytes, since those in plan files then hold no longer.
constexpr int kKernelsVersion = 4;

constexpr std::uint32_t bit(ActivationKind kind) {
  return 1U << static_cast<unsigned>(kind);
}

class CudaBackend final : public Backend {
 public:
  CudaBackend(std::string name, Libraries libraries, int capability, std::optional<int> device)
      : name_(std::move(name)),
        libraries_(std::move(libraries)),
        capability_(capability),
        device_(device) {}

  [[nodiscard]] std::string_view name() const override { return name_; }

  [[nodiscard]] TargetTraits traits() const override {
    const ConvolutionLibrary* convolutions = libraries_.convolutions.get();
    const bool some_channels = convolutions == nullptr || convolutions->activates_some_channels();
    return {.fused_activations = bit(ActivationKind::kRelu) | bit(ActivationKind::kClip) |
                                 bit(ActivationKind::kTanh) | bit(ActivationKind::kSigmoid),
            .fuses_residual = true,
            .fuses_input_relu = true,
            .fuses_half_input_relu = true,
            // Filters of the widest tile of kernels::separable().
            .most_separable_filters = 256,
            .writes_slices = true,
            .reads_slices = true,
            .partial_activations = some_channels ? ~0U : 0U,
            .fuses_pool_activation = true,
            .fuses_softmax_topk = true,
            // The widest access of a kernel, and what tensor cores ask of a convolution's pixels.
            .pixel_alignment_bytes = 16,
            .resizes_on_host = false,
            .largest_picture_side = kLargestPicture,
            .fuses_resize_normalize = true,
            .precisions = precisions()};
  }

  [[nodiscard]] std::string fingerprint() const override {
    enter();
    return cat(
        name_, "; ", description(), "; ", versions_of(libraries_), "; kernels ", kKernelsVersion);
  }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    enter();
    return lower(site, libraries_, capability_);
  }

  [[nodiscard]] std::string refusal(const OpSite& site) const override {
    enter();
    return cuda::refusal(site, libraries_);
  }

  void prepare(std::span<const OpSite> sites) const override {
    if (libraries_.convolutions == nullptr) return;
    enter();
    const ConvolutionSites asked = asked_sites(sites);
    libraries_.convolutions->prepare(asked.sites);
  }

  void restore(const SavedState& state) const override {
    if (libraries_.convolutions != nullptr) libraries_.convolutions->restore(state);
  }

  [[nodiscard]] std::vector<std::string> notices() const override {
    return libraries_.convolutions == nullptr ? std::vector<std::string>{}
                                              : libraries_.convolutions->notices();
  }

  [[nodiscard]] std::vector<std::byte> rounded_weights(const Constant& weights,
                                                       DType type) const override {
    return carries_errors(weights, type) ? weights_as(weights, type) : std::vector<std::byte>();
  }

  [[nodiscard]] Tactic conversion(const TensorDesc& desc,
                                  const Layout& from,
                                  const Layout& to) const override {
    Tactic tactic = copy_tactic(desc, from, to);
    tactic.expected_us = copy_us(byte_size(desc), capability_);
    return tactic;
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int /*threads*/) const override {
    if (!device_) throw DeviceError("these plans are of no device", ErrorCode::kDeviceNone);
    return std::make_unique<CudaStream>(*device_);
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    enter();
    return cuda::allocate(bytes);
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate_host(std::size_t bytes) const override {
    enter();
    return allocate_pinned(bytes);
  }

  [[nodiscard]] MemoryInfo memory_info() const override {
    enter();
    return cuda::memory_info();
  }

  [[nodiscard]] std::optional<Ceilings> ceilings() const override {
    enter();
    const std::optional<DeviceFacts> facts = device_facts();
    return facts ? ceilings_of(*facts) : std::nullopt;
  }

 private:
  /// Makes the device current: libraries ask it, and memory is its.
  void enter() const {
    if (device_) use_device(*device_);
  }

  [[nodiscard]] std::uint32_t precisions() const {
    const std::uint32_t all =
        TargetTraits::bit(Precision::kFp32) | TargetTraits::bit(Precision::kFp16);
    if (capability_ < kAmpere) return all;
    return all | TargetTraits::bit(Precision::kTf32) | TargetTraits::bit(Precision::kBf16);
  }

  std::string name_;
  Libraries libraries_;
  int capability_;
  std::optional<int> device_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(std::string name,
                                      Libraries libraries,
                                      int capability,
                                      std::optional<int> device) {
  return std::make_unique<CudaBackend>(std::move(name), std::move(libraries), capability, device);
}

int checked_device(int device, int count) {
  if (device >= 0 && device < count) return device;
  if (count == 0) {
    throw DeviceError(
        "no CUDA device can be used, and fovea doctor says why; what needs none is --backend cpu, "
        "or to look at plans compile --dry-run --target sm_90",
        ErrorCode::kDeviceNone);
  }
  const std::string there = count == 1 ? "there is one CUDA device, 0"
                                       : cat("there are the CUDA devices 0 to ", count - 1);
  throw DeviceError(cat(there, "; no device ", device), ErrorCode::kDeviceNone);
}

}  // namespace fovea::cuda
