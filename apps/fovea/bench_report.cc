#include "apps/fovea/bench_report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include <fovea/diagnostics.h>

#include "apps/fovea/text.h"

namespace fovea::app {

namespace {

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 512> text{};
  const int length = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(), std::min(static_cast<std::size_t>(length), text.size() - 1)};
}

double rate(const BenchFindings& findings) {
  return findings.duration_s > 0 ? static_cast<double>(findings.images) / findings.duration_s : 0;
}

double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / (1024.0 * 1024.0);
}

/// Mean milliseconds of an image.
double mean_ms(double seconds, const BenchFindings& findings) {
  const auto images = static_cast<double>(findings.stages.pictures);
  return images > 0 ? 1e3 * seconds / images : 0;
}

/// The line, broken where it is long.
std::string broken(const std::string& line) {
  return wrap(line, /*indent=*/2) + "\n";
}

std::string limit_text(const BenchFindings& findings, const BenchLimits& limits) {
  if (limits.images_per_s <= 0) {
    return findings.facts.on_host ? "Limit: not known for this network on this processor\n"
                                  : "Limit: not known for this device\n";
  }
  std::string text = format("Limit: %.6g images/s, bound by %s; %.1f %% of it reached\n",
                            limits.images_per_s,
                            limits.bound_by.c_str(),
                            100 * limits.share);
  if (limits.share > 1 && limits.bound_by == "compute") {
    text += "  it counts the products of the definition, of which Winograd needs fewer\n";
  }
  if (limits.peak_multiply_adds_per_s > 0) {
    text += format("  compute: %.4g G multiply-adds per image, at most %.4g G/s measured here\n",
                   1e-9 * static_cast<double>(findings.multiply_adds),
                   1e-9 * limits.peak_multiply_adds_per_s);
  }
  if (limits.memory_bytes_per_s > 0) {
    text += format("  memory: %.4g MiB of weights, at most %.4g GB/s measured here\n",
                   mebibytes(findings.facts.weight_bytes),
                   1e-9 * limits.memory_bytes_per_s);
  }
  if (findings.facts.floor) {
    text += broken(format("  %zu x %.200s: %.6g images/s by the bytes and operations of every step",
                          findings.facts.devices,
                          findings.facts.floor->device.c_str(),
                          limits.device_images_per_s));
  }
  if (limits.serial_images_per_s > 0) {
    text += format(
        "  input path alone: %.6g images/s; network alone: %.6g; one after the other: %.6g\n",
        limits.input_images_per_s,
        limits.network_images_per_s,
        limits.serial_images_per_s);
  }
  return text;
}

std::string device_name(const TargetFacts& facts) {
  if (facts.on_host) return processor_name();
  return facts.floor ? facts.floor->device : facts.backend;
}

/// A rate that is not known is null.
nlohmann::ordered_json known(double value) {
  return value > 0 ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json limits_json(const BenchFindings& findings, const BenchLimits& limits) {
  return {{"bound_by", limits.bound_by},
          {"images_per_s", known(limits.images_per_s)},
          {"share", known(limits.share)},
          {"multiply_adds_per_image", findings.multiply_adds},
          {"peak_multiply_adds_per_s", known(limits.peak_multiply_adds_per_s)},
          {"weight_bytes", findings.facts.weight_bytes},
          {"memory_bytes_per_s", known(limits.memory_bytes_per_s)},
          {"device_images_per_s", known(limits.device_images_per_s)},
          {"input_images_per_s", known(limits.input_images_per_s)},
          {"network_images_per_s", known(limits.network_images_per_s)},
          {"serial_images_per_s", known(limits.serial_images_per_s)}};
}

}  // namespace

std::string bench_text(const BenchFindings& findings, const BenchLimits& limits) {
  const TargetOptions& options = findings.options;
  const LatencySummary& ms = findings.latency_ms;
  const StageTimes& stages = findings.stages;
  std::string text = one_line(format("%.400s", findings.model.c_str()));
  text += format(" from %s on %s: %s, batch %lld, concurrency %zu, threads %d\n",
                 findings.from.c_str(),
                 findings.facts.backend.c_str(),
                 std::string(to_string(options.precision)).c_str(),
                 static_cast<long long>(options.batch),
                 options.concurrency,
                 options.threads);
  text += format("Throughput: %.6g images/s, %.6g qps\n",
                 rate(findings),
                 rate(findings) / static_cast<double>(options.batch));
  text += broken(
      format("Latency: min = %.4g ms, max = %.4g ms, mean = %.4g ms, median = %.4g ms, "
             "percentile(90%%) = %.4g ms, percentile(95%%) = %.4g ms, percentile(99%%) = %.4g ms",
             ms.min,
             ms.max,
             ms.mean,
             ms.median,
             ms.p90,
             ms.p95,
             ms.p99));
  text += broken(
      format("Stages: decode = %.4g ms, preprocess = %.4g ms, h2d = %.4g ms, compute = %.4g ms, "
             "d2h = %.4g ms, postprocess = %.4g ms (means of an image)",
             mean_ms(stages.decode_s, findings),
             mean_ms(stages.preprocess_s, findings),
             mean_ms(stages.upload_s, findings),
             mean_ms(stages.compute_s, findings),
             mean_ms(stages.download_s, findings),
             mean_ms(stages.postprocess_s, findings)));
  text += format("Build: %.4g s; first result: %.4g s after the start\n",
                 findings.build_s,
                 findings.first_result_s);
  text += format("Memory: process at most %.4g MiB; weights and runs on the device %.4g MiB\n",
                 mebibytes(findings.peak_host_bytes),
                 mebibytes(findings.facts.device_bytes));
  text += limit_text(findings, limits);
  text += format("Measured: %zu requests, %lld images in %.4g s after %.4g s of warm-up\n",
                 findings.requests,
                 static_cast<long long>(findings.images),
                 findings.duration_s,
                 findings.warmup_s);
  return text;
}

std::string bench_json(const BenchFindings& findings, const BenchLimits& limits) {
  const LatencySummary& ms = findings.latency_ms;
  const StageTimes& stages = findings.stages;
  nlohmann::ordered_json versions;
  for (const LibraryVersion& library : library_versions()) versions[library.name] = library.version;
  const nlohmann::ordered_json object{{"model", findings.model},
                                      {"backend", findings.facts.backend},
                                      {"device", device_name(findings.facts)},
                                      {"devices", findings.facts.devices},
                                      {"precision", to_string(findings.options.precision)},
                                      {"batch", findings.options.batch},
                                      {"concurrency", findings.options.concurrency},
                                      {"from", findings.from},
                                      {"threads", findings.options.threads},
                                      {"duration_s", findings.duration_s},
                                      {"images", findings.images},
                                      {"throughput_images_per_s", rate(findings)},
                                      {"latency_ms",
                                       {{"min", ms.min},
                                        {"mean", ms.mean},
                                        {"median", ms.median},
                                        {"p90", ms.p90},
                                        {"p95", ms.p95},
                                        {"p99", ms.p99},
                                        {"max", ms.max}}},
                                      {"stages_ms",
                                       {{"decode", mean_ms(stages.decode_s, findings)},
                                        {"preprocess", mean_ms(stages.preprocess_s, findings)},
                                        {"h2d", mean_ms(stages.upload_s, findings)},
                                        {"compute", mean_ms(stages.compute_s, findings)},
                                        {"d2h", mean_ms(stages.download_s, findings)},
                                        {"postprocess", mean_ms(stages.postprocess_s, findings)}}},
                                      {"build_s", findings.build_s},
                                      {"first_result_s", findings.first_result_s},
                                      {"peak_host_bytes", findings.peak_host_bytes},
                                      {"device_bytes", findings.facts.device_bytes},
                                      {"limits", limits_json(findings, limits)},
                                      {"versions", versions}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace fovea::app
