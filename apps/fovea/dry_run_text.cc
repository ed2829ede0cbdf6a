#include "apps/fovea/dry_run_text.h"

#include <array>
#include <cstdio>
#include <map>

#include <nlohmann/json.hpp>

#include "apps/fovea/plan_text.h"
#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

using Json = nlohmann::ordered_json;

std::string number(double value, const char* format) {
  std::array<char, 48> text{};
  (void)std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

double images_per_s(const DryRunBucket& bucket) {
  return 1e6 * static_cast<double>(bucket.batch) / bucket.floor_us;
}

std::string ceilings_text(const DeviceCeilings& ceilings) {
  return "  floors by the data sheet of " + ceilings.device + ": " +
         number(ceilings.flops_per_s / 1e12, "%.4g TFLOP/s, ") +
         number(ceilings.bytes_per_s / 1e9, "%.0f GB/s\n");
}

std::string buckets_table(const DryRun& run) {
  std::vector<std::vector<std::string>> rows{
      {"batch", "steps", "launches", "arena", "its bound", "workspace"}};
  if (run.ceilings) rows.front().insert(rows.front().end(), {"floor us", "images/s"});
  for (const DryRunBucket& bucket : run.buckets) {
    rows.push_back({std::to_string(bucket.batch),
                    std::to_string(bucket.steps.size()),
                    std::to_string(bucket.launches),
                    bytes_text(bucket.arena_bytes),
                    bytes_text(bucket.lower_bound_bytes),
                    bytes_text(bucket.workspace_bytes)});
    if (!run.ceilings) continue;
    rows.back().push_back(number(bucket.floor_us, "%.1f"));
    rows.back().push_back(number(images_per_s(bucket), "%.0f"));
  }
  return table(rows);
}

/// The batch sizes that the device's memory is too small for, a line each. Contexts on other
/// threads, the library's own memory and that of other programs come on top.
std::string memory_text(const DryRun& run) {
  std::string text;
  for (const DryRunBucket& bucket : run.buckets) {
    const std::size_t needed = run.weight_bytes + bucket.arena_bytes + bucket.workspace_bytes;
    if (run.memory_bytes == 0 || needed <= run.memory_bytes) continue;
    text += "  " +
            wrap("batch " + std::to_string(bucket.batch) + " does not fit: it takes " +
                     bytes_text(needed) + " with the weights, and the device has " +
                     bytes_text(run.memory_bytes) + " of memory",
                 4,
                 2) +
            "\n";
  }
  return text;
}

std::string steps_table(const DryRun& run) {
  std::vector<std::vector<std::string>> rows{{"step", "tactic", "output", "MFLOP", "MB"}};
  if (run.ceilings) rows.front().insert(rows.front().end(), {"floor us", "bound by"});
  for (const DryRunStep& step : run.buckets.back().steps) {
    rows.push_back({step.name,
                    step.tactic,
                    step.output,
                    number(static_cast<double>(step.flops) / 1e6, "%.1f"),
                    number(static_cast<double>(step.bytes) / 1e6, "%.2f")});
    if (!run.ceilings) continue;
    rows.back().push_back(number(step.floor_us, "%.2f"));
    rows.back().emplace_back(step.bound_by_bytes ? "bytes" : "operations");
  }
  return table(rows);
}

/// Why steps are not by the library that the backend would rather take: a row a reason.
std::string refusals_text(const DryRunBucket& bucket) {
  std::map<std::string, std::vector<std::string>> steps;  // by reason
  std::vector<std::string> reasons;                       // in order
  for (const DryRunStep& step : bucket.steps) {
    if (step.refusal.empty()) continue;
    std::vector<std::string>& alike = steps[step.refusal];
    if (alike.empty()) reasons.push_back(step.refusal);
    alike.push_back(step.name);
  }
  std::string text;
  for (const std::string& reason : reasons) {
    const std::vector<std::string>& alike = steps[reason];
    const std::vector<std::string> others(alike.begin() + 1, alike.end());
    text +=
        "  " + wrap(one_line(alike[0]) + ": " + one_line(reason) + likewise(others), 4, 2) + "\n";
  }
  return text.empty() ? text : "\nnot by the backend's best library\n" + text;
}

Json step_json(const DryRunStep& step, bool has_floor) {
  Json json{{"name", step.name},
            {"tactic", step.tactic},
            {"output", step.output},
            {"flops", step.flops},
            {"bytes", step.bytes},
            {"weight_bytes", step.weight_bytes}};
  if (!step.refusal.empty()) json["refusal"] = step.refusal;
  if (has_floor) {
    json["floor_us"] = step.floor_us;
    json["bound_by"] = step.bound_by_bytes ? "bytes" : "operations";
  }
  return json;
}

Json bucket_json(const DryRunBucket& bucket, bool has_floor) {
  Json json{{"batch", bucket.batch},
            {"launches", bucket.launches},
            {"arena_bytes", bucket.arena_bytes},
            {"lower_bound_bytes", bucket.lower_bound_bytes},
            {"workspace_bytes", bucket.workspace_bytes}};
  if (has_floor) {
    json["floor_us"] = bucket.floor_us;
    json["floor_images_per_s"] = images_per_s(bucket);
  }
  json["steps"] = Json::array();
  for (const DryRunStep& step : bucket.steps) json["steps"].push_back(step_json(step, has_floor));
  return json;
}

}  // namespace

std::string dry_run_text(const DryRun& run) {
  std::string text = "model '" + one_line(run.model) + "' in " + run.precision + " for " +
                     wrap(one_line(run.compiled_for), 2, 40) + "\n" + "  weights " +
                     bytes_text(run.weight_bytes) + "\n";
  if (run.ceilings) text += ceilings_text(*run.ceilings);
  const std::string largest = std::to_string(run.buckets.back().batch);
  const std::string least = std::to_string(run.buckets.front().batch);
  text += buckets_table(run) + memory_text(run) + "\nsteps of batch " + largest;
  if (run.buckets.size() > 1)
    text += ", the largest; --batch " + least + " shows those of " + least;
  return text + "\n" + steps_table(run) + refusals_text(run.buckets.back());
}

std::string dry_run_json(const DryRun& run) {
  Json json{{"model", run.model},
            {"backend", run.backend},
            {"precision", run.precision},
            {"compiled_for", run.compiled_for},
            {"weight_bytes", run.weight_bytes}};
  if (run.memory_bytes > 0) json["memory_bytes"] = run.memory_bytes;
  if (run.ceilings) {
    json["ceilings"] = {{"device", run.ceilings->device},
                        {"flops_per_s", run.ceilings->flops_per_s},
                        {"bytes_per_s", run.ceilings->bytes_per_s}};
  }
  json["buckets"] = Json::array();
  for (const DryRunBucket& bucket : run.buckets) {
    json["buckets"].push_back(bucket_json(bucket, run.ceilings.has_value()));
  }
  json["notices"] =
      Json(std::vector<std::string>(run.plan->notices().begin(), run.plan->notices().end()));
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace fovea::app
