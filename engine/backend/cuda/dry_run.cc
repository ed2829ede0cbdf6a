// Plans for a device that is not there: everything of the CUDA backend but the device.
#include <utility>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/targets.h"
#include "engine/backend/host_stream.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

class DryRunBackend final : public Backend {
 public:
  DryRunBackend(const cuda::Target& target, std::unique_ptr<const Backend> backend)
      : target_(target), backend_(std::move(backend)) {}

  [[nodiscard]] std::string_view name() const override { return backend_->name(); }

  [[nodiscard]] TargetTraits traits() const override {
    TargetTraits traits = backend_->traits();
    constexpr int kAmpere = 80;  // the first with products of TF32 and bfloat16
    if (target_.capability < kAmpere) {
      traits.precisions &=
          ~(TargetTraits::bit(Precision::kTf32) | TargetTraits::bit(Precision::kBf16));
    }
    return traits;
  }

  [[nodiscard]] std::string fingerprint() const override {
    return cat(name(), "; ", target_.name, " that is not here");
  }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    return backend_->tactics(site);
  }

  [[nodiscard]] Tactic conversion(const TensorDesc& desc,
                                  const Layout& from,
                                  const Layout& to) const override {
    return backend_->conversion(desc, from, to);
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int /*threads*/) const override {
    throw DeviceError(cat("this plan is for ",
                          target_.name,
                          " and was made without such a device: it can be looked at, not run"),
                      ErrorCode::kDeviceNone);
  }

  /// Packed weights lie in ordinary memory.
  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    return allocate_host(bytes);
  }

  [[nodiscard]] bool on_host() const override { return true; }

  [[nodiscard]] MemoryInfo memory_info() const override { return {}; }

  [[nodiscard]] std::optional<Ceilings> ceilings() const override { return target_.ceilings; }

 private:
  const cuda::Target& target_;
  std::unique_ptr<const Backend> backend_;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_dry_run_backend(std::string_view target) {
  return std::make_unique<DryRunBackend>(cuda::find_target(target),
                                         cuda::make_backend("cuda", nullptr));
}

}  // namespace fovea
