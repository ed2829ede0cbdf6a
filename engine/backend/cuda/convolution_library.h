// The seam behind which convolutions are computed.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/backend/backend.h"

namespace fovea::cuda {

/// A library of convolutions: cuDNN on a device, the operator's own definition on the emulated one.
/// Immutable and thread-safe.
class ConvolutionLibrary {
 public:
  virtual ~ConvolutionLibrary() = default;

  /// Its name and version, for Backend::fingerprint().
  [[nodiscard]] virtual std::string version() const = 0;

  /// Whether it knows Conv2d::activation_channels.
  [[nodiscard]] virtual bool activates_some_channels() const { return false; }

  /// All ways to lower the Conv2d of the site, best first; empty where there is none, such as for
  /// an activation of some channels only that a library does not know. Weights are
  /// packed through the WeightStore when a tactic is built.
  [[nodiscard]] virtual std::vector<Tactic> tactics(const OpSite& site) const = 0;

  /// Why tactics() is empty for the site, for messages; empty where it is not, or there is nothing
  /// to say.
  [[nodiscard]] virtual std::string why_none(const OpSite& /*site*/) const { return {}; }

  /// What a step saves that computes the site by another kernel: once it is restored, tactics() of
  /// such a site is empty, and nothing is asked to tell.
  [[nodiscard]] virtual SavedState passed_over(const OpSite& /*site*/) const { return {}; }

  /// See Backend.
  virtual void prepare(std::span<const OpSite> /*sites*/) const {}

  virtual void restore(const SavedState& /*state*/) const {}

  [[nodiscard]] virtual std::vector<std::string> notices() const { return {}; }
};

}  // namespace fovea::cuda
