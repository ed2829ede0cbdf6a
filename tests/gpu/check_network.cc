#include <chrono>
#include <span>
#include <stdexcept>

#include "engine/runtime/execution_context.h"
#include "tests/gpu/networks.h"
#include "tests/gpu/oracles.h"
#include "tests/gpu/parts.h"

namespace fovea::selftest {

namespace {

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
  const LogitsError error = result.logits.emplace(compare_logits(got, want));
  result.error = judgement(error, precision);
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
