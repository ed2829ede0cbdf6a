// The section `record` of a plan file: its steps, for people.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fovea/plan_file.h>

#include "engine/plan/execution_plan.h"

namespace fovea {

struct PlanRecord {
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::vector<std::pair<std::string, std::string>> options;  ///< by name
  std::vector<BucketInfo> buckets;

  bool operator==(const PlanRecord&) const = default;
};

[[nodiscard]] PlanRecord record_of(const ExecutionPlan& plan);

/// One step a row; the same record gives the same text.
[[nodiscard]] std::string to_json(const PlanRecord& record);

/// Inverse of to_json. Throws Error (plan/corrupt).
[[nodiscard]] PlanRecord parse_plan_record(std::string_view json);

}  // namespace fovea
