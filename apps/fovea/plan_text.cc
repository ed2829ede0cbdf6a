#include "apps/fovea/plan_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include <nlohmann/json.hpp>

#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLabelColumns = 14;

/// "  label         value", broken where it is long.
std::string line(const std::string& label, const std::string& value) {
  std::string text = "  " + label;
  text.resize(std::max(text.size() + 1, kLabelColumns + 2), ' ');
  return text + wrap(one_line(value), kLabelColumns + 2, text.size()) + "\n";
}

std::string tensors_text(const std::vector<TensorInfo>& tensors) {
  std::string text;
  for (const TensorInfo& tensor : tensors) {
    text += (text.empty() ? "" : ", ") + tensor.name + " " + to_string(tensor.desc);
  }
  return text;
}

Json tensors_json(const std::vector<TensorInfo>& tensors) {
  Json list = Json::array();
  for (const TensorInfo& tensor : tensors) {
    list.push_back({{"name", tensor.name},
                    {"dtype", to_string(tensor.desc.dtype)},
                    {"shape", tensor.desc.shape}});
  }
  return list;
}

std::string weights_text(const StoredWeightsInfo& weights) {
  std::string text = bytes_text(weights.bytes);
  text += weights.place == "cache" ? " in the cache" : " in the file";
  return text + (weights.sha256.empty() ? ", which is not here" : ", SHA-256 " + weights.sha256);
}

std::string steps_text(const BucketInfo& bucket) {
  std::vector<std::vector<std::string>> rows{
      {"step", "tactic", "output", "layout", "offset", "bytes"}};
  for (const StepInfo& step : bucket.steps) {
    rows.push_back({step.name,
                    step.tactic,
                    step.output,
                    step.layout,
                    std::to_string(step.offset),
                    std::to_string(step.bytes)});
  }
  return "\nbatch " + std::to_string(bucket.batch) + "\n" + table(rows);
}

/// How often each tactic is used for the largest batch, most often first.
std::string tactics_text(const std::vector<BucketInfo>& buckets) {
  if (buckets.empty()) return "none";
  std::map<std::string, int> counts;
  for (const StepInfo& step : buckets.back().steps) ++counts[step.tactic];
  std::vector<std::pair<int, std::string>> order;
  order.reserve(counts.size());
  for (const auto& [tactic, count] : counts) order.emplace_back(-count, tactic);
  std::ranges::sort(order);
  std::string text = "batch " + std::to_string(buckets.back().batch) + ":";
  for (const auto& [count, tactic] : order) {
    text += (text.ends_with(':') ? " " : ", ") + std::to_string(-count) + " x " + tactic;
  }
  return text;
}

std::string locks_text(const std::vector<CompiledInfo::Lock>& locks) {
  std::string text;
  for (const auto& [node, batch, tactic] : locks) {
    text += (text.empty() ? "" : ", ") + node;
    if (batch > 0) text += " (batch " + std::to_string(batch) + ")";
    text += " " + tactic;
  }
  return text;
}

std::string compiled_text(const CompiledInfo& compiled) {
  std::string options;
  for (const auto& [name, value] : compiled.options) {
    if (!options.empty()) options += ", ";
    options.append(name).append(" ").append(value);
  }
  std::string text = line("compiled by", "fovea " + compiled.version);
  text += line("for", compiled.fingerprint);
  text += line("options", options);
  text += line("packed",
               bytes_text(compiled.packed_bytes) + " in " +
                   std::to_string(compiled.packed_weights) + " pieces");
  text += line("tactics", tactics_text(compiled.buckets));
  if (!compiled.tactics.empty()) {
    text += line("chosen", std::to_string(compiled.tactics.size()) + " operations' tactics");
  }
  if (!compiled.locks.empty()) text += line("locks", locks_text(compiled.locks));
  text += "\nsteps\n" + buckets_text(compiled.buckets);
  std::vector<std::vector<std::string>> rows{{"section", "bytes", "xxh3-128"}};
  for (const auto& section : compiled.sections) {
    rows.push_back({section.name, std::to_string(section.bytes), section.xxh3});
  }
  return text + "\nplan format " + std::to_string(compiled.format) + "\n" + table(rows);
}

Json buckets_json(const std::vector<BucketInfo>& buckets) {
  Json list = Json::array();
  for (const BucketInfo& bucket : buckets) {
    Json steps = Json::array();
    for (const StepInfo& step : bucket.steps) {
      steps.push_back({{"name", step.name},
                       {"tactic", step.tactic},
                       {"output", step.output},
                       {"layout", step.layout},
                       {"offset", step.offset},
                       {"bytes", step.bytes}});
    }
    list.push_back({{"batch", bucket.batch},
                    {"arena_bytes", bucket.arena_bytes},
                    {"lower_bound_bytes", bucket.lower_bound_bytes},
                    {"workspace_bytes", bucket.workspace_bytes},
                    {"steps", std::move(steps)}});
  }
  return list;
}

Json compiled_json(const CompiledInfo& compiled) {
  Json json{{"format", compiled.format},
            {"version", compiled.version},
            {"backend", compiled.backend},
            {"fingerprint", compiled.fingerprint}};
  json["options"] = Json::object();
  for (const auto& [name, value] : compiled.options) json["options"][name] = value;
  json["packed_weights"] = compiled.packed_weights;
  json["packed_bytes"] = compiled.packed_bytes;
  json["tactics"] = Json::object();
  for (const auto& [signature, tactic] : compiled.tactics) json["tactics"][signature] = tactic;
  json["locks"] = Json::array();
  for (const auto& [node, batch, tactic] : compiled.locks) {
    json["locks"].push_back({{"node", node}, {"batch", batch}, {"tactic", tactic}});
  }
  json["buckets"] = buckets_json(compiled.buckets);
  json["sections"] = Json::array();
  for (const auto& section : compiled.sections) {
    json["sections"].push_back(
        {{"name", section.name}, {"bytes", section.bytes}, {"xxh3_128", section.xxh3}});
  }
  return json;
}

Json preprocessing_json(const PreprocessSpec& spec) {
  Json json{{"mode", to_string(spec.mode)},
            {"interpolation", to_string(spec.interpolation)},
            {"fit", to_string(spec.fit)},
            {"color", to_string(spec.color)}};
  if (spec.fit == Fit::kCentreCrop) json["shorter_side"] = spec.shorter_side;
  return json;
}

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array kUnits{"bytes", "KiB", "MiB", "GiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  (void)std::snprintf(
      text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits.at(unit));
  return text.data();
}

std::string preprocessing_text(const std::optional<PreprocessSpec>& spec) {
  if (!spec) return "not known";
  std::string text;
  for (const std::string_view part : {to_string(spec->mode),
                                      to_string(spec->interpolation),
                                      to_string(spec->fit),
                                      to_string(spec->color)}) {
    text += (text.empty() ? "" : ", ") + std::string(part);
  }
  if (spec->fit == Fit::kCentreCrop) {
    text += ", shorter side " + std::to_string(spec->shorter_side);
  }
  return text;
}

std::string buckets_text(const std::vector<BucketInfo>& buckets) {
  std::vector<std::vector<std::string>> rows{
      {"batch", "steps", "arena", "its lower bound", "workspace"}};
  for (const BucketInfo& bucket : buckets) {
    rows.push_back({std::to_string(bucket.batch),
                    std::to_string(bucket.steps.size()),
                    bytes_text(bucket.arena_bytes),
                    bytes_text(bucket.lower_bound_bytes),
                    bytes_text(bucket.workspace_bytes)});
  }
  return table(rows);
}

std::string file_text(const FileInfo& info, bool steps) {
  std::string text = std::string(info.compiled ? "plan" : "package") + " of model '" +
                     one_line(info.model) + "', " + bytes_text(info.file_bytes) + "\n";
  if (!info.description.empty()) text += line("description", info.description);
  if (!info.source.empty()) text += line("imported from", info.source);
  text += line("inputs", tensors_text(info.inputs));
  text += line("outputs", tensors_text(info.outputs));
  text += line("preprocessing", preprocessing_text(info.preprocessing));
  text += line("labels", info.labels.empty() ? "none" : info.labels);
  text += line("weights", weights_text(info.weights));
  if (!info.compiled) return text;
  text += compiled_text(*info.compiled);
  if (!steps) return text;
  for (const BucketInfo& bucket : info.compiled->buckets) text += steps_text(bucket);
  return text;
}

std::string file_json(const FileInfo& info) {
  Json json{{"kind", info.compiled ? "plan" : "package"},
            {"model", info.model},
            {"description", info.description},
            {"source", info.source},
            {"file_bytes", info.file_bytes},
            {"inputs", tensors_json(info.inputs)},
            {"outputs", tensors_json(info.outputs)}};
  if (info.preprocessing) json["preprocessing"] = preprocessing_json(*info.preprocessing);
  json["labels"] = info.labels;
  json["weights"] = {{"place", info.weights.place},
                     {"bytes", info.weights.bytes},
                     {"sha256", info.weights.sha256}};
  if (info.compiled) json["compiled"] = compiled_json(*info.compiled);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fovea::app
