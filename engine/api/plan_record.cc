// {"inputs": [["x", "f32", [-1, 28, 28, 1]], ...], "outputs": [...],
//  "options": [["threads", "2"], ...],
//  "buckets": [[<batch>, <arena bytes>, <lower bound>, <workspace bytes>], ...],
//  "steps": [[<batch>, "conv1", "onednn:jit", "f32[1,28,28,6]", "dense", <offset>, <bytes>], ...]}
#include "engine/api/plan_record.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "engine/api/json_fields.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

using Json = nlohmann::ordered_json;

Json tensors_json(const std::vector<TensorInfo>& tensors) {
  Json rows = Json::array();
  for (const auto& [name, desc] : tensors) {
    rows.push_back({name, to_string(desc.dtype), desc.shape});
  }
  return rows;
}

TensorInfo parse_tensor(const nlohmann::json& row) {
  json_fields::check_list(row, 3);
  TensorInfo tensor{json_fields::text(row[0]), {}};
  try {
    tensor.desc.dtype = parse_dtype(json_fields::text(row[1]));
  } catch (const InvalidArgument& error) {
    throw Error(ErrorCode::kPlanCorrupt, error.what());
  }
  json_fields::check_list(row[2], row[2].size());
  for (const nlohmann::json& dim : row[2]) {
    if (!dim.is_number_integer()) throw Error(ErrorCode::kPlanCorrupt, "a dimension is no number");
    tensor.desc.shape.push_back(dim.get<std::int64_t>());
  }
  return tensor;
}

std::int64_t parse_batch(const nlohmann::json& value) {
  return static_cast<std::int64_t>(json_fields::number(value));
}

StepInfo parse_step(const nlohmann::json& row) {
  return {.name = json_fields::text(row[1]),
          .tactic = json_fields::text(row[2]),
          .output = json_fields::text(row[3]),
          .layout = json_fields::text(row[4]),
          .offset = json_fields::number(row[5]),
          .bytes = json_fields::number(row[6])};
}

void add_step(std::vector<BucketInfo>& buckets, const nlohmann::json& row) {
  json_fields::check_list(row, 7);
  const auto bucket = std::ranges::find(buckets, parse_batch(row[0]), &BucketInfo::batch);
  if (bucket == buckets.end()) throw Error(ErrorCode::kPlanCorrupt, "a step is of no batch size");
  bucket->steps.push_back(parse_step(row));
}

}  // namespace

PlanRecord record_of(const ExecutionPlan& plan) {
  PlanRecord record{.inputs = plan.inputs, .outputs = plan.outputs, .options = {}, .buckets = {}};
  for (const BucketPlan& bucket : plan.buckets) {
    BucketInfo info{.batch = bucket.batch,
                    .arena_bytes = bucket.arena_bytes,
                    .lower_bound_bytes = bucket.lower_bound,
                    .workspace_bytes = bucket.workspace_bytes,
                    .steps = {}};
    for (const PlannedStep& step : bucket.steps) {
      const Slot& slot = bucket.slots[step.outputs.at(0)];
      info.steps.push_back({.name = step.name,
                            .tactic = step.tactic,
                            .output = to_string(slot.desc),
                            .layout = to_string(slot.layout),
                            .offset = slot.offset,
                            .bytes = buffer_bytes(slot.desc, slot.layout)});
    }
    record.buckets.push_back(std::move(info));
  }
  return record;
}

std::string to_json(const PlanRecord& record) {
  Json json{{"inputs", tensors_json(record.inputs)}, {"outputs", tensors_json(record.outputs)}};
  json["options"] = Json::array();
  json["buckets"] = Json::array();
  json["steps"] = Json::array();
  for (const auto& [name, value] : record.options) json["options"].push_back({name, value});
  for (const BucketInfo& bucket : record.buckets) {
    json["buckets"].push_back(
        {bucket.batch, bucket.arena_bytes, bucket.lower_bound_bytes, bucket.workspace_bytes});
    for (const StepInfo& step : bucket.steps) {
      json["steps"].push_back({bucket.batch,
                               step.name,
                               step.tactic,
                               step.output,
                               step.layout,
                               step.offset,
                               step.bytes});
    }
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

PlanRecord parse_plan_record(std::string_view json) {
  PlanRecord record;
  const auto ignore = [](const std::string& /*key*/, const nlohmann::json& /*value*/) {};
  json_fields::read(json, ignore, [&](const std::string& key, const nlohmann::json& row) {
    if (key == "inputs") record.inputs.push_back(parse_tensor(row));
    if (key == "outputs") record.outputs.push_back(parse_tensor(row));
    if (key == "options") {
      json_fields::check_list(row, 2);
      record.options.emplace_back(json_fields::text(row[0]), json_fields::text(row[1]));
    }
    if (key == "buckets") {
      json_fields::check_list(row, 4);
      record.buckets.push_back({.batch = parse_batch(row[0]),
                                .arena_bytes = json_fields::number(row[1]),
                                .lower_bound_bytes = json_fields::number(row[2]),
                                .workspace_bytes = json_fields::number(row[3]),
                                .steps = {}});
    }
    if (key == "steps") add_step(record.buckets, row);
  });
  return record;
}

}  // namespace fovea
