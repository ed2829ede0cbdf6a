// The seam behind which a library computes dense layers.
#pragma once

#include <string>
#include <vector>

#include "engine/backend/backend.h"

namespace fovea::cuda {

/// A library of matrix products. Immutable and thread-safe.
class DenseLibrary {
 public:
  virtual ~DenseLibrary() = default;

  /// Its name and version, for Backend::fingerprint().
  [[nodiscard]] virtual std::string version() const = 0;

  /// All ways to lower the Dense of the site, best first; empty where it has none, such as for an
  /// activation that it does not know. Weights are packed through the WeightStore when a tactic is
  /// built.
  [[nodiscard]] virtual std::vector<Tactic> tactics(const OpSite& site) const = 0;

  /// Why tactics() has nothing for the site, where a user can change that; empty else.
  [[nodiscard]] virtual std::string why_none(const OpSite& /*site*/) const { return {}; }
};

}  // namespace fovea::cuda
