// gpu_selftest: the CUDA backend on the device that is here, in one program that needs the driver
// and, where they are, cuDNN and cuBLASLt.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>

#include "engine/core/require.h"
#include "tests/gpu/arguments.h"
#include "tests/gpu/networks.h"
#include "tests/gpu/parts.h"
#include "tests/gpu/tested_backend.h"

namespace fovea::selftest {

namespace {

using Clock = std::chrono::steady_clock;

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  (void)gmtime_r(&now, &parts);
  char text[32];
  (void)std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

class SelfTest {
 public:
  explicit SelfTest(const Arguments& arguments)
      : arguments_(arguments),
        backend_(make_tested_backend()),
        end_(Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                std::chrono::duration<double>(arguments.budget_seconds))) {
    report_.device = backend_->fingerprint();
    report_.date = utc_now();
    std::printf("%s\n", report_.device.c_str());
  }

  const Report& run() {
    if (arguments_.has("kernels")) report_.kernels = run_tests("kernels");
    if (arguments_.has("tactics")) report_.tactics = run_tests("tactics");
    note_unmatched_filter();
    if (arguments_.has("networks")) run_networks("networks", Tuning::kOff);
    if (arguments_.has("tuner")) run_networks("tuner", Tuning::kFast);
    if (arguments_.has("bench")) run_bench();
    print_left_out();
    return report_;
  }

 private:
  [[nodiscard]] std::vector<std::string> networks() const {
    return arguments_.networks.empty() ? network_names() : arguments_.networks;
  }

  [[nodiscard]] std::vector<Precision> precisions() const {
    if (!arguments_.precisions.empty()) return arguments_.precisions;
    std::vector<Precision> all;
    for (const Precision precision :
         {Precision::kFp32, Precision::kTf32, Precision::kFp16, Precision::kBf16}) {
      if (backend_->traits().computes_in(precision)) all.push_back(precision);
    }
    return all;
  }

  [[nodiscard]] TacticOptions tactics(Tuning tuning) const {
    return {.tuning = tuning,
            .tuning_seconds = arguments_.tuning_seconds,
            .timing_folder = arguments_.timings};
  }

  /// Whether the budget is spent; then it is noted what is not begun.
  bool is_left_out(std::string_view part, std::string_view what) {
    if (Clock::now() < end_) return false;
    report_.left_out.push_back(
        {std::string(part), std::string(what), "the budget of seconds is spent"});
    return true;
  }

  /// A misspelt filter would pass otherwise. A shard may be empty where others are not.
  void note_unmatched_filter() {
    const bool has_kernels = arguments_.has("kernels");
    if (matching_tests_ > 0 || !(has_kernels || arguments_.has("tactics"))) return;
    report_.left_out.push_back({has_kernels ? "kernels" : "tactics",
                                cat("tests with '", arguments_.filter, '\''),
                                "no name of a test has that"});
  }

  /// One line for every part.
  void print_left_out() const {
    const std::vector<LeftOut>& all = report_.left_out;
    for (auto first = all.begin(); first != all.end();) {
      const auto end = std::find_if(first, all.end(), [&](const LeftOut& l) {
        return l.part != first->part || l.why != first->why;
      });
      const auto more = end - first - 1;
      std::printf("left out of %s: %s%s; %s\n",
                  first->part.c_str(),
                  first->what.c_str(),
                  more == 0 ? "" : cat(" and ", more, " more").c_str(),
                  first->why.c_str());
      first = end;
    }
  }

  /// Tests of tactics are called so, and all others are of kernels.
  std::vector<CaseResult> run_tests(const char* part) {
    const bool of_tactics = std::string_view(part) == "tactics";
    std::size_t number = 0;
    const auto is_wanted = [&](std::string_view name) {
      return name.starts_with("Tactics.") == of_tactics &&
             name.find(arguments_.filter) != std::string_view::npos &&
             number++ % arguments_.shards == arguments_.shard && !is_left_out(part, name);
    };
    std::vector<CaseResult> results = run_cases(is_wanted, [](const CaseResult& result) {
      if (result.status == CaseStatus::kPassed) return;
      std::printf("%s %s\n",
                  result.status == CaseStatus::kFailed ? "FAILED " : "skipped",
                  result.name.c_str());
      for (const std::string& message : result.messages) std::printf("  %s\n", message.c_str());
    });
    matching_tests_ += number;
    std::printf("%s: %zu tests\n", part, results.size());
    return results;
  }

  void run_networks(const char* part, Tuning tuning) {
    for (const std::string& network : networks()) {
      for (const Precision precision : precisions()) {
        if (is_left_out(part, cat(network, ' ', to_string(precision)))) continue;
        const NetworkResult& r = report_.networks.emplace_back(
            check_network(network, precision, backend_, tactics(tuning)));
        const LogitsError logits = r.logits.value_or(LogitsError{NAN, NAN, NAN, false});
        std::printf(
            "%s %-12s %s tuning %s: error %.2e, cosine %.7f, shift %.3f, compiled in %.2f s %s\n",
            r.ok ? "ok    " : "FAILED",
            r.network.c_str(),
            r.precision.c_str(),
            r.tuning.c_str(),
            logits.max_error,
            logits.cosine,
            logits.shift,
            r.compile_s,
            r.error.c_str());
      }
    }
  }

  void run_bench() {
    report_.copy_bytes_per_s = measure_copy(*backend_);
    std::printf("copy on the device: %.0f GB/s\n", 1e-9 * report_.copy_bytes_per_s);
    for (const std::string& network : networks()) {
      for (const Precision precision : precisions()) {
        for (const std::int64_t batch : arguments_.batches) {
          if (is_left_out("bench", cat(network, ' ', to_string(precision), ' ', batch))) continue;
          const BenchResult& r =
              report_.bench.emplace_back(bench_network(network,
                                                       precision,
                                                       batch,
                                                       backend_,
                                                       tactics(Tuning::kFast),
                                                       arguments_.bench_seconds));
          std::printf(
              "%s %-12s %s batch %lld: %.1f us, %.0f images/s, from the host %.1f us, "
              "floor %.1f us %s\n",
              r.error.empty() ? "ok    " : "FAILED",
              r.network.c_str(),
              r.precision.c_str(),
              static_cast<long long>(r.batch),
              r.median_us,
              r.images_per_s(),
              r.host_us,
              r.floor_us,
              r.error.c_str());
        }
      }
    }
  }

  const Arguments& arguments_;
  std::shared_ptr<const Backend> backend_;
  Clock::time_point end_;
  std::size_t matching_tests_ = 0;  ///< the filter, of all shards
  Report report_;
};

void write(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  if (!out.flush()) throw Error(ErrorCode::kIoWrite, cat("cannot write ", file));
}

int run(int argc, char** argv) {
  const std::optional<Arguments> arguments = parse_arguments(argc, argv);
  if (!arguments) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  (void)std::setvbuf(stdout, nullptr, _IOLBF, 0);
  SelfTest test(*arguments);
  const Report& report = test.run();
  if (!arguments->json.empty()) write(arguments->json, to_json(report));
  std::puts(report.ok() ? "all held" : "FAILED");
  return report.ok() ? 0 : 1;
}

}  // namespace

}  // namespace fovea::selftest

int main(int argc, char** argv) {
  try {
    return fovea::selftest::run(argc, argv);
  } catch (const fovea::InvalidArgument& error) {
    std::fprintf(stderr, "gpu_selftest: %s\n", error.what());
    return 2;
  } catch (const fovea::DeviceError& error) {
    std::fprintf(stderr, "gpu_selftest: %s\n", error.what());
    return 4;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_selftest: %s\n", error.what());
    return 1;
  }
}
