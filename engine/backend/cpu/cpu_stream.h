// A host stream that also carries oneDNN's stream and a thread count.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include "engine/backend/host_stream.h"

namespace fovea::cpu {

/// The one oneDNN engine of the process.
[[nodiscard]] const dnnl::engine& engine();

/// Sets how many OpenMP threads oneDNN uses on the calling thread, and puts back what was before.
/// oneDNN plans its work for that number when a primitive is made and splits it by that number when
/// it runs, so both happen inside such a scope.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int before_;
};

class CpuStream final : public HostStream {
 public:
  explicit CpuStream(int threads) : stream_(engine()), threads_(threads) {}

  [[nodiscard]] dnnl::stream& dnnl() { return stream_; }

  [[nodiscard]] int threads() const { return threads_; }

 private:
  dnnl::stream stream_;
  int threads_;
};

}  // namespace fovea::cpu
