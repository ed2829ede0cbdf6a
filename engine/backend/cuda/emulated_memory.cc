#include "engine/backend/cuda/emulated_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <span>

#include "engine/backend/cuda/emulated_device.h"
#include "engine/backend/host_stream.h"
#include "engine/core/align.h"
#include "engine/core/require.h"
#include "kernels/simt/sanitizers.h"

namespace fovea::cuda::emulated {

namespace {

/// Allocations: bytes by first byte.
using Ranges = std::map<const std::byte*, std::size_t, std::less<>>;

/// Whether the bytes lie in one of the ranges.
bool contains(const Ranges& ranges, const std::byte* data, std::size_t bytes) {
  const auto behind = ranges.upper_bound(data);
  return behind != ranges.begin() &&
         data + bytes <= std::prev(behind)->first + std::prev(behind)->second;
}

/// What is allocated on one device.
struct DeviceLedger {
  std::size_t bytes = 0;
  std::size_t capacity = 0;  ///< 0: no limit
  Ranges allocated;
};

/// What is allocated; guarded by its mutex.
struct Ledger {
  std::mutex mutex;
  int device_count = 1;
  std::map<int, DeviceLedger> devices;
  Ranges pinned;
  std::uint64_t pageable_copies = 0;
};

/// Never destroyed: static objects may free memory later.
Ledger& ledger() {
  static auto& ledger = *std::make_unique<Ledger>().release();
  return ledger;
}

[[noreturn]] void throw_out_of_memory(std::size_t bytes, const char* kind) {
  throw DeviceError(
      cat("no ", bytes, " bytes of ", kind, " memory; a smaller largest batch needs less"),
      ErrorCode::kDeviceOutOfMemory);
}

/// Bytes before and after every allocation that nobody may write to.
constexpr std::size_t kGuardBytes = kBufferAlignment;
constexpr std::byte kGuard{0xA5};

/// An allocation with its guards; the one behind begins right after the last byte.
class GuardedMemory {
 public:
  GuardedMemory(std::size_t bytes, const char* kind)
      : bytes_(bytes), size_(2 * kGuardBytes + align_up(bytes, kBufferAlignment)) {
    // Not operator new: AddressSanitizer would limit what one call may ask for, and abort.
    // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): of the destructor
    base_ = static_cast<std::byte*>(std::aligned_alloc(kBufferAlignment, size_));
    if (base_ == nullptr) throw_out_of_memory(bytes, kind);
    std::memset(base_, static_cast<int>(kGuard), size_);
    fill_with_nan();
    simt::sanitizers::poison(base_, kGuardBytes);
    simt::sanitizers::poison(data() + bytes_, behind());
  }

  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  ~GuardedMemory() {
    simt::sanitizers::unpoison(base_, size_);
    const auto intact = [](std::span<const std::byte> bytes) {
      return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == kGuard; });
    };
    if (!intact({base_, kGuardBytes}) || !intact({data() + bytes_, behind()})) {
      (void)std::fprintf(stderr, "emulated device: a write outside of %zu bytes\n", bytes_);
      std::abort();
    }
    // NOLINTNEXTLINE(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): of aligned_alloc
    std::free(base_);
  }

  [[nodiscard]] std::byte* data() const { return base_ + kGuardBytes; }

 private:
  [[nodiscard]] std::size_t behind() const { return size_ - kGuardBytes - bytes_; }

  void fill_with_nan() const {
    constexpr std::uint64_t kNan = 0x7fff'7fff'7fff'7fff;  // as double, as float and as half
    for (std::size_t at = 0; at < bytes_; at += sizeof(kNan)) {
      std::memcpy(data() + at, &kNan, std::min(sizeof(kNan), bytes_ - at));
    }
  }

  std::size_t bytes_;
  std::size_t size_;
  std::byte* base_ = nullptr;
};

/// Bytes of a device's memory while they are taken.
class DeviceShare {
 public:
  DeviceShare(std::size_t bytes, int device) : bytes_(bytes), device_(device) {
    const std::lock_guard lock(ledger().mutex);
    DeviceLedger& of = ledger().devices[device_];
    if (of.capacity != 0 && bytes > of.capacity - std::min(of.capacity, of.bytes)) {
      throw_out_of_memory(bytes, "device");
    }
    of.bytes += bytes;
  }

  DeviceShare(const DeviceShare&) = delete;
  DeviceShare& operator=(const DeviceShare&) = delete;

  ~DeviceShare() {
    const std::lock_guard lock(ledger().mutex);
    ledger().devices[device_].bytes -= bytes_;
  }

 private:
  std::size_t bytes_;
  int device_;
};

/// Bytes that are noted among the ranges, which must stay.
class NotedRange {
 public:
  NotedRange(Ranges& among, const std::byte* data, std::size_t bytes) : among_(among), data_(data) {
    const std::lock_guard lock(ledger().mutex);
    among_.emplace(data_, bytes);
  }

  NotedRange(const NotedRange&) = delete;
  NotedRange& operator=(const NotedRange&) = delete;

  ~NotedRange() {
    const std::lock_guard lock(ledger().mutex);
    among_.erase(data_);
  }

 private:
  Ranges& among_;
  const std::byte* data_;
};

Ranges& allocated_on(int device) {
  const std::lock_guard lock(ledger().mutex);
  return ledger().devices[device].allocated;
}

struct DeviceMemory {
  DeviceMemory(std::size_t bytes, int device)
      : share(bytes, device),
        memory(bytes, "device"),
        range(allocated_on(device), memory.data(), bytes) {}

  DeviceShare share;
  GuardedMemory memory;
  NotedRange range;
};

struct PinnedMemory {
  explicit PinnedMemory(std::size_t bytes)
      : memory(bytes, "page-locked"), range(ledger().pinned, memory.data(), bytes) {}

  GuardedMemory memory;
  NotedRange range;
};

template <typename Memory, typename... Arguments>
std::shared_ptr<std::byte> allocate(Arguments... arguments) {
  const auto owner = std::make_shared<Memory>(arguments...);
  return {owner, owner->memory.data()};
}

}  // namespace

std::shared_ptr<std::byte> allocate_device(std::size_t bytes, int device) {
  return allocate<DeviceMemory>(bytes, device);
}

std::shared_ptr<std::byte> allocate_pinned(std::size_t bytes) {
  return allocate<PinnedMemory>(bytes);
}

MemoryInfo memory_info(int device) {
  const std::lock_guard lock(ledger().mutex);
  const DeviceLedger& of = ledger().devices[device];
  if (of.capacity == 0) return host_memory_info();
  return {.free_bytes = of.capacity - std::min(of.capacity, of.bytes), .total_bytes = of.capacity};
}

int device_count() {
  const std::lock_guard lock(ledger().mutex);
  return ledger().device_count;
}

void set_device_count(int count) {
  const std::lock_guard lock(ledger().mutex);
  ledger().device_count = count;
}

void require_on(const std::byte* address, int device) {
  const std::lock_guard lock(ledger().mutex);
  for (const auto& [other, of] : ledger().devices) {
    if (other != device && contains(of.allocated, address, 1)) {
      throw DeviceError(
          cat("emulated CUDA: memory of device ", other, " is used on device ", device));
    }
  }
}

void note_copy(const std::byte* host, std::size_t bytes) {
  if (bytes == 0) return;
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  if (!contains(all.pinned, host, bytes)) ++all.pageable_copies;
}

std::uint64_t pageable_copies() {
  const std::lock_guard lock(ledger().mutex);
  return ledger().pageable_copies;
}

std::size_t device_bytes(int device) {
  const std::lock_guard lock(ledger().mutex);
  return ledger().devices[device].bytes;
}

std::size_t pinned_bytes() {
  const std::lock_guard lock(ledger().mutex);
  std::size_t bytes = 0;
  for (const auto& range : ledger().pinned) bytes += range.second;
  return bytes;
}

void set_capacity(std::size_t bytes, int device) {
  const std::lock_guard lock(ledger().mutex);
  ledger().devices[device].capacity = bytes;
}

}  // namespace fovea::cuda::emulated
