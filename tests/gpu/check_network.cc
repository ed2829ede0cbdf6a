#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <stdexcept>

#include "engine/core/require.h"
#include "engine/runtime/execution_context.h"
#include "tests/gpu/networks.h"
#include "tests/gpu/oracles.h"
#include "tests/gpu/parts.h"

namespace fovea::selftest {

namespace {

double least_cosine(Precision precision) {
  return precision == Precision::kBf16 ? 0.999 : 0.9999;
}

constexpr double kLargestError = 1e-4;  // of the range, in fp32

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

/// Whether both have their largest element in one place, if it is more than twice `error` above the
/// second in `want`: nearer ones may change places.
bool same_best(std::span<const float> got, std::span<const float> want, double error) {
  const auto best = std::ranges::max_element(want) - want.begin();
  float second = -INFINITY;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (static_cast<std::ptrdiff_t>(i) != best) second = std::max(second, want[i]);
  }
  if (want[static_cast<std::size_t>(best)] - second <= 2 * error) return true;
  return std::ranges::max_element(got) - got.begin() == best;
}

void compare(std::span<const float> got, std::span<const float> want, NetworkResult& result) {
  result.cosine = 1;
  result.top1_equal = true;
  const std::size_t classes = want.size() / kPictures;
  for (std::size_t p = 0; p < kPictures; ++p) {
    const auto mine = got.subspan(p * classes, classes);
    const auto oracle = want.subspan(p * classes, classes);
    double error = 0;
    for (std::size_t i = 0; i < classes; ++i) {
      const double apart = std::abs(double{mine[i]} - oracle[i]);
      error = apart <= error ? error : apart;  // NaN stays
    }
    const auto [least, most] = std::ranges::minmax(oracle);
    const double share = error / (double{most} - least);
    result.max_error = share <= result.max_error ? result.max_error : share;
    result.cosine = std::min(result.cosine, cosine(mine, oracle));
    result.top1_equal = result.top1_equal && same_best(mine, oracle, error);
  }
}

std::string judgement(const NetworkResult& result, Precision precision) {
  if (precision == Precision::kFp32 && !(result.max_error <= kLargestError)) {
    return cat("an error of ", result.max_error, " of the logits' range; at most ", kLargestError);
  }
  if (precision != Precision::kFp32 && !(result.cosine >= least_cosine(precision))) {
    return cat("a cosine of ", result.cosine, "; at least ", least_cosine(precision));
  }
  return result.top1_equal ? "" : "another best class than the oracle";
}

void run(NetworkResult& result,
         Precision precision,
         const std::shared_ptr<const Backend>& backend,
         const TacticOptions& tactics) {
  const std::vector<float> want = oracle_logits(result.network);
  if (want.empty()) throw std::runtime_error("the program has no oracle for it");
  const Graph network = make_network(result.network);
  const auto start = std::chrono::steady_clock::now();
  const auto plan = compile_plan(
      network, backend, {.buckets = {kPictures}, .precision = precision, .tactics = tactics});
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  result.compile_s = elapsed.count();
  ExecutionContext context(plan);
  const TensorBytes pictures = formula_pictures(network, kPictures);
  std::vector<float> got(want.size());
  const std::span<const std::byte> input(pictures);
  const std::span<std::byte> output = std::as_writable_bytes(std::span(got));
  context.run(kPictures, {&input, 1}, {&output, 1});
  compare(got, want, result);
  result.error = judgement(result, precision);
  result.ok = result.error.empty();
}

}  // namespace

NetworkResult check_network(std::string_view network,
                            Precision precision,
                            const std::shared_ptr<const Backend>& backend,
                            const TacticOptions& tactics) {
  NetworkResult result;
  result.network = network;
  result.precision = to_string(precision);
  result.tuning = to_string(tactics.tuning);
  try {
    run(result, precision, backend, tactics);
  } catch (const std::exception& error) {
    result.error = error.what();
  }
  return result;
}

}  // namespace fovea::selftest
