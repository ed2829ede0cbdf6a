// fovea bench MODEL
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include <fovea/model.h>

#include "apps/fovea/bench_report.h"
#include "apps/fovea/bench_target.h"
#include "apps/fovea/command.h"
#include "apps/fovea/interrupt.h"
#include "apps/fovea/stored_pictures.h"

namespace fovea::app {

namespace {

constexpr double kLongestSeconds = 86'400;
constexpr int kMostRequests = 4'096;

struct Arguments {
  ModelArguments model;
  PreprocessArguments preprocess;
  std::string from = "tensor";
  std::string images;
  double duration = 10;
  double warmup = 1;
  std::int64_t batch = 1;
  int concurrency = 0;
  bool json = false;
};

void check(const Arguments& arguments) {
  const bool pictures = arguments.from == "jpeg" || arguments.from == "pixels";
  if (!pictures && arguments.from != "tensor") {
    throw InvalidArgument("--from is tensor, pixels or jpeg, not '" + arguments.from + "'");
  }
  if (pictures && arguments.images.empty()) {
    throw InvalidArgument("--from " + arguments.from + " needs --images FOLDER with pictures");
  }
  if (!pictures && !arguments.images.empty()) {
    throw InvalidArgument("--images goes with --from jpeg or --from pixels");
  }
  if (!(arguments.duration > 0 && arguments.duration <= kLongestSeconds)) {
    throw InvalidArgument("--duration is more than 0 and at most 86400 seconds");
  }
  if (!(arguments.warmup >= 0 && arguments.warmup <= kLongestSeconds)) {
    throw InvalidArgument("--warmup is 0 to 86400 seconds");
  }
  if (arguments.batch < 1) throw InvalidArgument("--batch is at least 1");
  if (arguments.concurrency < 0 || arguments.concurrency > kMostRequests) {
    throw InvalidArgument("--concurrency is 1 to 4096, or 0 for enough to keep every thread busy");
  }
}

/// Requests for each thread that keep all of them busy. A Classifier answers in the order of the
/// pictures: behind one that takes long, the others need something to go on with.
int requests_per_thread(const Arguments& arguments) {
  return arguments.from == "tensor" ? 1 : 4;
}

TargetOptions target_options(const Arguments& arguments, const Model& model) {
  const int threads = checked_threads(arguments.model.threads);
  const int requests = arguments.concurrency != 0
                           ? arguments.concurrency
                           : std::min(threads * requests_per_thread(arguments), kMostRequests);
  return {.backend = arguments.model.backend,
          .devices = arguments.from == "tensor" ? std::vector{arguments.model.only_device(model)}
                                                : arguments.model.devices(model),
          .convolution = arguments.model.convolution,
          .precision = arguments.model.checked_precision(model),
          .tactics = arguments.model.tactics,
          .batch = arguments.batch,
          .concurrency = static_cast<std::size_t>(requests),
          .threads = threads};
}

std::unique_ptr<BenchTarget> make_target(const Arguments& arguments,
                                         const Model& model,
                                         const TargetOptions& options,
                                         std::vector<StoredPicture> pictures) {
  if (arguments.from == "tensor") return make_tensor_target(model, options);
  return make_picture_target(model, options, std::move(pictures));
}

std::vector<StoredPicture> read_pictures(const Arguments& arguments, const Model& model) {
  if (arguments.from == "tensor") return {};
  if (arguments.from == "jpeg") return read_jpegs(arguments.images);
  const auto& contract = model.preprocessing();
  return read_pixels(arguments.images, contract ? contract->color : ColorMode::kRgb);
}

double seconds_since(ClosedLoop::Clock::time_point start) {
  return std::chrono::duration<double>(ClosedLoop::Clock::now() - start).count();
}

/// The most memory of this process that was resident at a time; 0 where the system does not tell.
std::size_t peak_host_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

/// Runs the target under load and notes what came of it.
void measure(BenchTarget& target, const Arguments& arguments, BenchFindings& findings) {
  if (arguments.warmup > 0) {
    ClosedLoop warmup(findings.options.concurrency,
                      std::chrono::duration<double>(arguments.warmup));
    target.run(warmup);
    findings.warmup_s = warmup.seconds();
  }
  const StageTimes before = target.stage_times();
  ClosedLoop loop(findings.options.concurrency, std::chrono::duration<double>(arguments.duration));
  target.run(loop);
  findings.stages = target.stage_times();
  findings.stages -= before;
  findings.duration_s = loop.seconds();
  findings.requests = loop.latencies_ms().size();
  findings.images = static_cast<std::int64_t>(findings.requests) * arguments.batch;
  findings.latency_ms = summarize(loop.latencies_ms());
  findings.peak_host_bytes = peak_host_bytes();
}

int bench(const Arguments& arguments) {
  const auto start = ClosedLoop::Clock::now();
  check(arguments);
  ModelOptions model_options = arguments.model.model_options();
  arguments.preprocess.apply(model_options);
  const Model model = open_model(arguments.model.model, model_options);
  std::vector<StoredPicture> pictures = read_pictures(arguments, model);

  BenchFindings findings;
  findings.model = arguments.model.model;
  findings.from = arguments.from;
  findings.options = target_options(arguments, model);
  findings.multiply_adds = multiply_adds(model.graph());
  const auto build_start = ClosedLoop::Clock::now();
  const auto target = make_target(arguments, model, findings.options, std::move(pictures));
  findings.build_s = seconds_since(build_start);
  findings.facts = target->facts();

  catch_interrupt();
  ClosedLoop first(1, std::chrono::seconds(0));
  target->run(first);
  findings.first_result_s = seconds_since(start);
  measure(*target, arguments, findings);
  if (findings.requests == 0) {
    std::fputs("stopped before anything was measured\n", stderr);
    return kExitInterrupted;
  }
  if (findings.requests < kSamplesForP99) {
    print_notices(std::array{"only " + std::to_string(findings.requests) +
                             " requests were measured: the 99th percentile is the maximum; a "
                             "longer --duration gives more"});
  }
  const BenchLimits limits = find_limits(findings);
  const std::string report =
      arguments.json ? bench_json(findings, limits) : bench_text(findings, limits);
  std::fputs(report.c_str(), stdout);
  return interrupted() ? kExitInterrupted : kExitOk;
}

}  // namespace

void add_bench(CLI::App& program, Action& action) {
  auto* command = program.add_subcommand("bench", "Measure throughput and latency");
  auto arguments = std::make_shared<Arguments>();
  arguments->model.add_to(*command, /*with_backend=*/true);
  command
      ->add_option(
          "--from",
          arguments->from,
          "where a request begins: tensor (the network's input), pixels or jpeg, in memory")
      ->capture_default_str();
  command->add_option(
      "--images", arguments->images, "a folder of pictures, for --from pixels and jpeg");
  command->add_option("--duration", arguments->duration, "seconds to measure")
      ->capture_default_str();
  command->add_option("--warmup", arguments->warmup, "seconds of load before that, not measured")
      ->capture_default_str();
  command->add_option("--batch", arguments->batch, "pictures per request")->capture_default_str();
  command
      ->add_option("--concurrency",
                   arguments->concurrency,
                   "requests in flight; an answer is followed by the next request. 1: the latency "
                   "of one alone. 0: one per thread from tensor, else four per thread")
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "one JSON object");
  arguments->preprocess.add_to(*command);
  command->footer(
      "Latency is from a request's submission to its answer. Ctrl-C ends the\n"
      "measurement early and prints what it found.\n"
      "Examples: fovea bench lenet5 --duration 3\n"
      "          fovea bench resnet50 --weights random:1 --from jpeg --images photos");
  command->callback([&action, arguments] { action = [arguments] { return bench(*arguments); }; });
}

}  // namespace fovea::app
