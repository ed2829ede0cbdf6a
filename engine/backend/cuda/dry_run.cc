// Plans for a device that is not there: everything of the CUDA backend but the device.
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/cuda/make_convolutions.h"
#include "engine/backend/cuda/make_dense.h"
#include "engine/backend/cuda/targets.h"
#include "engine/backend/host_stream.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

#ifdef FOVEA_CUDA_ARCHITECTURES
/// That this build's kernels do not run on such a device; empty where they do.
std::string architecture_notice(const cuda::Target& target) {
  constexpr std::string_view kBuilt = FOVEA_CUDA_ARCHITECTURES;
  if (cuda::kernels_run_on(kBuilt, target.capability)) return {};
  return cat("this build has kernels for the CUDA architectures ",
             kBuilt,
             " alone, and ",
             target.name,
             " runs none of them; configure with -D CMAKE_CUDA_ARCHITECTURES=",
             target.capability,
             " for it");
}
#else
/// There are no kernels of the device's, and nobody expects any.
std::string architecture_notice(const cuda::Target& /*target*/) {
  return {};
}
#endif

[[noreturn]] void refuse(std::string_view target) {
  throw DeviceError(cat("this plan is for ",
                        target,
                        " and was made without such a device: it can be looked at, not run"),
                    ErrorCode::kDeviceNone);
}

/// What stands in a plan that cannot be run.
class AbsentStep final : public Step {
 public:
  explicit AbsentStep(std::string_view target) : target_(target) {}

  void enqueue(const StepArgs& /*args*/, Stream& /*stream*/) const override { refuse(target_); }

 private:
  std::string_view target_;  ///< of targets(), which are constants
};

/// The tactic without what building it needs: a device, packed weights.
Tactic not_built(Tactic tactic, std::string_view target) {
  tactic.build = [target](const BuildArgs&) { return std::make_unique<AbsentStep>(target); };
  return tactic;
}

class DryRunBackend final : public Backend {
 public:
  /// libraries   their versions
  DryRunBackend(const cuda::Target& target,
                std::unique_ptr<const Backend> backend,
                std::string libraries)
      : target_(target), backend_(std::move(backend)), libraries_(std::move(libraries)) {}

  [[nodiscard]] std::string_view name() const override { return backend_->name(); }

  [[nodiscard]] TargetTraits traits() const override { return backend_->traits(); }

  [[nodiscard]] std::string fingerprint() const override {
    return cat(name(), "; ", target_.name, " that is not here; ", libraries_);
  }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    std::vector<Tactic> tactics = backend_->tactics(site);
    for (Tactic& tactic : tactics) tactic = not_built(std::move(tactic), target_.name);
    return tactics;
  }

  [[nodiscard]] std::string refusal(const OpSite& site) const override {
    return backend_->refusal(site);
  }

  [[nodiscard]] std::vector<std::string> notices() const override {
    std::vector<std::string> notices = backend_->notices();
    if (std::string notice = architecture_notice(target_); !notice.empty()) {
      notices.push_back(std::move(notice));
    }
    return notices;
  }

  [[nodiscard]] Tactic conversion(const TensorDesc& desc,
                                  const Layout& from,
                                  const Layout& to) const override {
    return not_built(backend_->conversion(desc, from, to), target_.name);
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int /*threads*/) const override {
    refuse(target_.name);
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    return allocate_host(bytes);
  }

  [[nodiscard]] bool on_host() const override { return true; }

  [[nodiscard]] MemoryInfo memory_info() const override {
    return {target_.memory_bytes, target_.memory_bytes};
  }

  [[nodiscard]] std::optional<Ceilings> ceilings() const override { return target_.ceilings; }

 private:
  const cuda::Target& target_;
  std::unique_ptr<const Backend> backend_;
  std::string libraries_;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_dry_run_backend(std::string_view target) {
  const cuda::Target& found = cuda::find_target(target);
  cuda::Libraries libraries{.convolutions = cuda::make_target_convolutions(),
                            .dense = cuda::make_target_dense()};
  std::string versions = cuda::versions_of(libraries);
  return std::make_unique<DryRunBackend>(
      found,
      cuda::make_backend("cuda", std::move(libraries), found.capability, std::nullopt),
      std::move(versions));
}

}  // namespace fovea
