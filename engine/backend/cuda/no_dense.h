// What stands for a library of dense layers where there is none.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/backend/cuda/dense_library.h"

namespace fovea::cuda {

/// No tactics, and why.
class NoDense final : public DenseLibrary {
 public:
  explicit NoDense(std::string reason) : reason_(std::move(reason)) {}

  [[nodiscard]] std::string version() const override { return "dense layers of our own"; }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& /*site*/) const override { return {}; }

  [[nodiscard]] std::string why_none(const OpSite& /*site*/) const override { return reason_; }

 private:
  std::string reason_;
};

}  // namespace fovea::cuda
