// A stream of a backend that computes on the calling thread.
#pragma once

#include <chrono>
#include <cstring>
#include <memory>

#include "engine/backend/backend.h"
#include "engine/core/require.h"

namespace fovea {

/// The moment of its record().
class HostEvent final : public Event {
 public:
  void synchronize() override {}

  [[nodiscard]] float elapsed_ms_since(const Event& start) const override {
    const auto& from = dynamic_cast<const HostEvent&>(start);
    return std::chrono::duration<float, std::milli>(time - from.time).count();
  }

  std::chrono::steady_clock::time_point time;
};

/// Everything is done when the call returns. Work is not captured: a context of such a backend
/// keeps the list of its steps and enqueues them again.
class HostStream : public Stream {
 public:
  void synchronize() override {}

  void upload(std::byte* dst, const std::byte* src, std::size_t bytes) override {
    if (bytes != 0) std::memcpy(dst, src, bytes);  // memcpy takes no null, not even for nothing
  }

  void download(std::byte* dst, const std::byte* src, std::size_t bytes) override {
    if (bytes != 0) std::memcpy(dst, src, bytes);
  }

  void copy(std::byte* dst, const std::byte* src, std::size_t bytes) override {
    if (bytes != 0) std::memcpy(dst, src, bytes);
  }

  [[nodiscard]] std::unique_ptr<Event> make_event() override {
    return std::make_unique<HostEvent>();
  }

  void record(Event& event) override {
    dynamic_cast<HostEvent&>(event).time = std::chrono::steady_clock::now();
  }

  void wait(const Event& /*event*/) override {}

  [[nodiscard]] bool captures() const override { return false; }

  void begin_capture() override {
    throw Error(ErrorCode::kInternal, "host streams do not capture");
  }

  [[nodiscard]] std::unique_ptr<Replay> end_capture() override { return nullptr; }

  void replay(const Replay& /*replay*/) override {}
};

/// Aligned and zeroed host memory, freed with the last pointer. Throws DeviceError
/// (device/out-of-memory).
[[nodiscard]] std::shared_ptr<std::byte> allocate_host(std::size_t bytes);

/// What the machine has and what is free of it now.
[[nodiscard]] MemoryInfo host_memory_info();

}  // namespace fovea
