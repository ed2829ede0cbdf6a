// Running a plan on raw tensors: the low-level door.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <fovea/plan.h>
#include <fovea/stage_times.h>

namespace fovea {

class ExecutionContext;

/// One stream and one arena for one plan. All memory is allocated by the constructor; run()
/// allocates nothing. Not thread-safe: use one context per thread.
class Context {
 public:
  /// Throws device/out-of-memory.
  explicit Context(const std::shared_ptr<const Plan>& plan);

  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  Context(Context&&) noexcept;
  Context& operator=(Context&&) noexcept;

  /// Runs n pictures and waits. Both lists are in the plan's order; every tensor is dense and has
  /// byte_size(with_batch(desc, n)) bytes. Throws argument/invalid for other sizes and an n that
  /// the plan does not take.
  ///
  /// times   null, or what the times of upload, compute and download are added to
  void run(std::int64_t n,
           std::span<const std::span<const std::byte>> inputs,
           std::span<const std::span<std::byte>> outputs,
           StageTimes* times = nullptr);

  /// Bytes of device memory that this context owns.
  [[nodiscard]] std::size_t arena_bytes() const;

 private:
  std::unique_ptr<ExecutionContext> impl_;
};

}  // namespace fovea
