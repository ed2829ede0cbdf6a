#include "tests/gpu/report.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>

#include <nlohmann/json.hpp>

namespace fovea::selftest {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const CaseResult& result) {
  constexpr std::array kStatus{"passed", "failed", "skipped"};
  Json json{{"name", result.name},
            {"status", kStatus.at(static_cast<std::size_t>(result.status))},
            {"seconds", result.seconds}};
  if (!result.messages.empty()) json["messages"] = result.messages;
  return json;
}

void add(const std::optional<LogitsError>& logits, Json& json) {
  if (!logits) return;
  json["max_error"] = logits->max_error;
  json["cosine"] = logits->cosine;
  json["shift"] = logits->shift;
  json["top1_equal"] = logits->top1_equal;
}

Json to_json(const NetworkResult& result) {
  Json json{{"network", result.network},
            {"precision", result.precision},
            {"tuning", result.tuning},
            {"compile_s", result.compile_s},
            {"ok", result.ok}};
  add(result.logits, json);
  if (!result.error.empty()) json["error"] = result.error;
  return json;
}

/// The choices; of every distinct operation also its candidates' times, where it was measured.
Json to_json(const std::vector<TacticDecision>& decisions) {
  Json json = Json::array();
  std::set<std::string_view> known;
  for (const TacticDecision& decision : decisions) {
    Json entry{{"node", decision.node}, {"tactic", decision.tactic}};
    if (known.insert(decision.signature).second) {
      Json& times = entry["us"] = Json::object();
      Json& refused = entry["refused"] = Json::object();
      for (const TacticCandidate& candidate : decision.candidates) {
        if (candidate.microseconds > 0) times[candidate.tactic] = candidate.microseconds;
        if (!candidate.refused.empty()) refused[candidate.tactic] = candidate.refused;
      }
      if (refused.empty()) entry.erase("refused");
      if (times.empty()) entry.erase("us");
    }
    json.push_back(std::move(entry));
  }
  return json;
}

Json to_json(const BenchResult& result) {
  Json json{{"network", result.network},
            {"precision", result.precision},
            {"batch", result.batch},
            {"launches", result.launches},
            {"device_bytes", result.device_bytes},
            {"median_us", result.median_us},
            {"best_us", result.best_us},
            {"host_us", result.host_us},
            {"images_per_s", result.images_per_s()},
            {"compile_s", result.compile_s},
            {"tuning_s", result.tactics.tuning.seconds},
            {"unmeasured", result.tactics.tuning.out_of_time},
            {"tactics", to_json(result.tactics.decisions)}};
  if (result.floor_us > 0 && result.median_us > 0) {
    json["floor_us"] = result.floor_us;
    json["share_of_floor"] = result.floor_us / result.median_us;
  }
  add(result.logits, json);
  if (!result.error.empty()) json["error"] = result.error;
  return json;
}

Json to_json(const LeftOut& left_out) {
  return {{"part", left_out.part}, {"what", left_out.what}, {"why", left_out.why}};
}

template <typename T>
Json list(const std::vector<T>& results) {
  Json json = Json::array();
  for (const T& result : results) json.push_back(to_json(result));
  return json;
}

}  // namespace

bool Report::ok() const {
  const auto failed = [](const CaseResult& r) { return r.status == CaseStatus::kFailed; };
  return std::ranges::none_of(kernels, failed) && std::ranges::none_of(tactics, failed) &&
         std::ranges::all_of(networks, &NetworkResult::ok) &&
         std::ranges::all_of(bench, [](const BenchResult& r) { return r.error.empty(); }) &&
         std::ranges::all_of(left_out, [](const LeftOut& l) { return l.part == "bench"; });
}

std::string to_json(const Report& report) {
  Json json{{"device", report.device}, {"date", report.date}};
  if (report.copy_bytes_per_s > 0) json["copy_bytes_per_s"] = report.copy_bytes_per_s;
  json["ok"] = report.ok();
  json["kernels"] = list(report.kernels);
  json["tactics"] = list(report.tactics);
  json["networks"] = list(report.networks);
  json["bench"] = list(report.bench);
  json["left_out"] = list(report.left_out);
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace fovea::selftest
