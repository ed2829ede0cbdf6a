// A step with the addresses that it runs on.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "engine/backend/backend.h"

namespace fovea {

/// A step bound to addresses, which never change, and to a stream. The step outlives it. It may be
/// moved, as vectors keep their elements' addresses, and its state keeps it from being copied.
class BoundStep {
 public:
  /// inputs, outputs, workspace   as in StepArgs
  BoundStep(const Step& step,
            std::vector<const std::byte*> inputs,
            std::vector<std::byte*> outputs,
            std::byte* workspace,
            Stream& stream)
      : step_(&step),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        args_{inputs_, outputs_, workspace, nullptr},
        state_(step.bind(args_, stream)) {
    args_.state = state_.get();
  }

  void enqueue(Stream& stream) const { step_->enqueue(args_, stream); }

 private:
  const Step* step_;
  std::vector<const std::byte*> inputs_;
  std::vector<std::byte*> outputs_;
  StepArgs args_;
  std::unique_ptr<StepState> state_;
};

}  // namespace fovea
