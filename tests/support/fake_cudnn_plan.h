// What a plan of the fake cuDNN is: data that can be looked at, kept as text and computed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/cuda/cudnn_candidates.h"
#include "engine/graph/ops/conv2d.h"

namespace fovea::test {

/// A tensor of a graph, dimensions and strides in cuDNN's order n, c, h, w.
struct FakeTensor {
  std::vector<std::int64_t> dims;
  std::vector<std::int64_t> strides;
  std::int64_t alignment = 0;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
};

/// What a plan is finalized from, or was executed with.
struct FakePlan {
  cuda::CudnnEngine engine;
  Conv2d conv;
  std::vector<std::string> operations;         ///< "conv", "add", "relu", in order
  std::map<std::int64_t, FakeTensor> tensors;  ///< in memory, by identity
  bool from_json = false;
};

/// One execution.
struct FakeRun {
  FakePlan plan;
  std::map<std::int64_t, void*> addresses;  ///< by the tensors' identities
  void* workspace = nullptr;
  cudnnHandle_t handle = nullptr;
  cudaStream_t stream = nullptr;  ///< the handle's
};

/// As cuDNN gives a plan: CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION.
[[nodiscard]] std::string plan_json(const FakePlan& plan);

/// Inverse of plan_json. Throws std::exception for other text.
[[nodiscard]] FakePlan parse_plan(std::string_view json);

/// What cuDNN would compute, by Conv2d's definition, where all tensors are float32: from and to the
/// run's addresses, in the plan's strides.
void evaluate(const FakeRun& run);

}  // namespace fovea::test
