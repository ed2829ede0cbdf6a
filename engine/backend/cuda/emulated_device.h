// What tests may ask of the emulated device, and make it do.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fovea::cuda::emulated {

/// What a call that fails leaves behind.
enum class Failure : std::uint8_t {
  kOfTheCall,  ///< nothing is done, and the call throws
  kOfItsWork,  ///< what it enqueues fails when its turn comes; a call that enqueues nothing throws
};

/// Makes one of the device calls (device.h; those that release or describe aside) fail: the one
/// with `calls_before` calls between now and it. One failure at a time; replaces an earlier wish.
void fail_call(std::uint64_t calls_before, Failure failure);

/// Lets all calls work again. Returns whether the failure that was wished for never came.
bool fail_no_call();

/// Calls that could have failed so far.
[[nodiscard]] std::uint64_t calls();

/// Asynchronous copies so far whose memory on the host was not page-locked: on a device they would
/// overlap with nothing.
[[nodiscard]] std::uint64_t pageable_copies();

/// How many devices there are from now on, >= 1; at first one.
void set_device_count(int count);

/// Bytes that are allocated now on a device, and page-locked.
[[nodiscard]] std::size_t device_bytes(int device = 0);
[[nodiscard]] std::size_t pinned_bytes();

/// Bytes of a device's memory; what is allocated already counts. 0: as many as the host has.
void set_capacity(std::size_t bytes, int device = 0);

}  // namespace fovea::cuda::emulated
