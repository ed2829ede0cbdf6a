// What stands for a convolution library where there is none.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/backend/cuda/convolution_library.h"

namespace fovea::cuda {

/// No tactics, and why.
class NoConvolutions final : public ConvolutionLibrary {
 public:
  explicit NoConvolutions(std::string reason) : reason_(std::move(reason)) {}

  [[nodiscard]] std::string version() const override { return "convolutions of our own"; }

  /// Our own kernels, which compute them all, do.
  [[nodiscard]] bool activates_some_channels() const override { return true; }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& /*site*/) const override { return {}; }

  [[nodiscard]] std::string why_none(const OpSite& /*site*/) const override { return reason_; }

 private:
  std::string reason_;
};

}  // namespace fovea::cuda
