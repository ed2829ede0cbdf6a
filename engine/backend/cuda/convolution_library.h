// The seam behind which convolutions are computed.
#pragma once

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

  /// All ways to lower the Conv2d of the site, best first; empty where there is none, such as for
  /// an activation of some channels only that a library does not know. Weights are
  /// packed through the WeightStore when a tactic is built.
  [[nodiscard]] virtual std::vector<Tactic> tactics(const OpSite& site) const = 0;
};

}  // namespace fovea::cuda
