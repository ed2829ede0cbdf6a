// The tactics of one convolution.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/cudnn_plans.h"
#include "engine/backend/cuda/cudnn_site.h"

namespace fovea::cuda {

/// What cuDNN offers for a site, best first, and what it refused, with its reasons.
struct SiteTactics {
  std::vector<Tactic> tactics;
  std::vector<std::string> refusals;
};

/// The first of the tactics has a plan that was built. Slices are read as they lie and written
/// where a Concat wants them as far as an engine can; else the output is dense, and then the inputs
/// are. Where engines were saved for the site, only those are offered, and nothing else is asked
/// for; where all of them are refused, what cuDNN offers now. Where another kernel was saved for
/// the site, there are none.
///
/// is_here   whether the plans' device can execute them
///
/// Throws DeviceError for other failures than refusals.
[[nodiscard]] SiteTactics site_tactics(const OpSite& site,
                                       const std::shared_ptr<CudnnPlans>& plans,
                                       bool is_here);

/// Asks for the tactics of all sites at once, in threads, one a distinct convolution: so that
/// site_tactics() finds candidates and plans. Where there is a failure it is the one who is told.
void prepare_sites(std::span<const OpSite> sites,
                   const std::shared_ptr<CudnnPlans>& plans,
                   bool is_here);

/// A tactic that reads its inputs in these layouts and writes a dense result, without a build.
[[nodiscard]] Tactic convolution_tactic(std::span<const Layout> inputs, std::string name);

}  // namespace fovea::cuda
