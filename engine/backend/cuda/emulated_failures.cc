#include "engine/backend/cuda/emulated_failures.h"

#include <mutex>
#include <optional>
#include <string>

#include <fovea/error.h>

#include "engine/backend/cuda/emulated_device.h"
#include "engine/core/require.h"
#include "kernels/simt/stream.h"

namespace fovea::cuda::emulated {

namespace {

struct Calls {
  std::mutex mutex;
  std::uint64_t made = 0;
  std::optional<std::uint64_t> failing;  ///< a value of `made`
  Failure failure = Failure::kOfTheCall;
};

Calls& all_calls() {
  static Calls calls;
  return calls;
}

/// How this call fails, if it does.
std::optional<Failure> count_call() {
  Calls& calls = all_calls();
  const std::lock_guard lock(calls.mutex);
  if (calls.failing != calls.made++) return std::nullopt;
  calls.failing.reset();
  return calls.failure;
}

std::string message(const char* name) {
  return cat("emulated CUDA: ", name, " fails as it was asked to");
}

}  // namespace

void fail_call(std::uint64_t calls_before, Failure failure) {
  Calls& calls = all_calls();
  const std::lock_guard lock(calls.mutex);
  calls.failing = calls.made + calls_before;
  calls.failure = failure;
}

bool fail_no_call() {
  Calls& calls = all_calls();
  const std::lock_guard lock(calls.mutex);
  const bool never_came = calls.failing.has_value();
  calls.failing.reset();
  return never_came;
}

std::uint64_t calls() {
  const std::lock_guard lock(all_calls().mutex);
  return all_calls().made;
}

void begin_call(const char* name) {
  if (count_call()) throw DeviceError(message(name));
}

void begin_call(const char* name, cudaStream_t stream) {
  const std::optional<Failure> failure = count_call();
  if (failure == Failure::kOfTheCall) throw DeviceError(message(name));
  if (failure == Failure::kOfItsWork) {
    simt::enqueue(stream, [name] { throw DeviceError(message(name)); });
  }
}

}  // namespace fovea::cuda::emulated
