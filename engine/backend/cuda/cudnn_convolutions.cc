#include "engine/backend/cuda/cudnn_convolutions.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/cuda/cudnn_site_tactics.h"
#include "engine/core/joined.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

std::string version_of(const CudnnLibrary& library) {
  return cat("cuDNN ", library.version, library.compiles_kernels ? "" : " without NVRTC");
}

class CudnnConvolutions final : public ConvolutionLibrary {
 public:
  CudnnConvolutions(std::shared_ptr<const CudnnLibrary> library, CudnnDevice device)
      : is_here_(device.properties.empty()),
        plans_(std::make_shared<CudnnPlans>(std::move(library), std::move(device))) {}

  [[nodiscard]] std::string version() const override { return version_of(*plans_->library()); }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    return find(site).tactics;
  }

  [[nodiscard]] std::string why_none(const OpSite& site) const override {
    SiteTactics found = find(site);
    if (!found.tactics.empty()) return {};
    // Both types of the bias are refused for one reason mostly.
    std::vector<std::string> reasons;
    for (std::string& reason : found.refusals) {
      if (std::ranges::find(reasons, reason) == reasons.end()) reasons.push_back(std::move(reason));
    }
    return joined(reasons, "; ");
  }

  [[nodiscard]] SavedState passed_over(const OpSite& site) const override {
    SavedState state;
    if (const auto convolution = describe_dense(site)) {
      save_passed_over(*convolution, why_none(site), state);
    }
    return state;
  }

  void prepare(std::span<const OpSite> sites) const override {
    prepare_sites(sites, plans_, is_here_);
  }

  void restore(const SavedState& state) const override { plans_->restore(state); }

  [[nodiscard]] std::vector<std::string> notices() const override { return plans_->notices(); }

 private:
  [[nodiscard]] SiteTactics find(const OpSite& site) const {
    return site_tactics(site, plans_, is_here_);
  }

  bool is_here_;
  std::shared_ptr<CudnnPlans> plans_;
};

class CudnnGraphs final : public ConvolutionLibrary {
 public:
  explicit CudnnGraphs(std::shared_ptr<const CudnnLibrary> library)
      : library_(std::move(library)) {}

  [[nodiscard]] std::string version() const override {
    return cat(version_of(*library_), " without a device");
  }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    std::vector<Tactic> tactics;
    for (const CudnnBias bias : bias_types(site)) {
      const auto convolution = describe(site, site.inputs, Layout{}, bias);
      if (!convolution) continue;
      const std::int64_t engines = make_graph(*library_, *convolution, nullptr).engine_count();
      Tactic tactic = convolution_tactic(
          site.inputs, cat("cudnn:", epilogue_name(*convolution), ':', engines, "-engines"));
      tactic.writes_slices = true;
      tactic.build = [name = site.node.name, engines](const BuildArgs&) -> std::unique_ptr<Step> {
        throw DeviceError(cat("node '",
                              name,
                              "' is computed by one of cuDNN's ",
                              engines,
                              " engines, which are chosen on a GPU; there is none here"),
                          ErrorCode::kDeviceNone);
      };
      tactics.push_back(std::move(tactic));
    }
    return tactics;
  }

  [[nodiscard]] std::string why_none(const OpSite& site) const override {
    return describe(site, site.inputs, Layout{}, bias_types(site).front()) ? "" : kNotDescribed;
  }

 private:
  std::shared_ptr<const CudnnLibrary> library_;
};

}  // namespace

std::unique_ptr<ConvolutionLibrary> make_cudnn_convolutions(
    std::shared_ptr<const CudnnLibrary> library, CudnnDevice device) {
  return std::make_unique<CudnnConvolutions>(std::move(library), std::move(device));
}

std::unique_ptr<ConvolutionLibrary> make_cudnn_graphs(std::shared_ptr<const CudnnLibrary> library) {
  return std::make_unique<CudnnGraphs>(std::move(library));
}

}  // namespace fovea::cuda
