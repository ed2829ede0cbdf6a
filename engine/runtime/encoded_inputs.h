// Inputs of a batch in the form in which the steps of a plan read them, where only the host can
// write it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/plan/execution_plan.h"
#include "engine/runtime/tensor_size.h"

namespace fovea {

/// Room for the encoded inputs of one batch, of the kind from which copies go on beside other work.
/// Takes nothing where the plan encodes no input. One thread at a time; a batch that was encoded
/// stays until the next one is.
class EncodedInputs {
 public:
  /// Throws DeviceError (device/out-of-memory).
  explicit EncodedInputs(const ExecutionPlan& plan);

  /// Input `input` of the bucket, as EncodeInput writes it; the missing pictures of the bucket
  /// repeat the last one.
  ///
  /// input   one that the bucket encodes
  /// dense   the rows of 1 to BucketPlan::batch pictures
  ///
  /// Throws InvalidArgument for values that the operator does not take.
  [[nodiscard]] std::span<const std::byte> encode(const BucketPlan& bucket,
                                                  std::size_t input,
                                                  std::span<const std::byte> dense);

 private:
  /// Of one input.
  struct Room {
    TensorSize size;
    std::vector<std::byte> rows;         ///< of the largest bucket; empty where it is not encoded
    std::shared_ptr<std::byte> encoded;  ///< likewise null
  };

  std::vector<Room> rooms_;  ///< in the order of ExecutionPlan::inputs
};

}  // namespace fovea
