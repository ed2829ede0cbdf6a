// Memory of the emulated devices, and memory of the host that is page-locked for it.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/backend/backend.h"

namespace fovea::cuda::emulated {

/// Memory that is filled with NaN, aligned to kBufferAlignment; an access outside of it is an
/// AddressSanitizer report or, without the sanitizer, an abort when it is freed. Throws DeviceError
/// (device/out-of-memory) where it does not fit beside what is allocated on that device.
[[nodiscard]] std::shared_ptr<std::byte> allocate_device(std::size_t bytes, int device);

/// The same in the host's memory, page-locked.
[[nodiscard]] std::shared_ptr<std::byte> allocate_pinned(std::size_t bytes);

[[nodiscard]] MemoryInfo memory_info(int device);

/// What set_device_count() of emulated_device.h set.
[[nodiscard]] int device_count();

/// Throws DeviceError where the address is in memory of another device.
void require_on(const std::byte* address, int device);

/// Counts a copy whose memory on the host is `host` where that is not page-locked.
void note_copy(const std::byte* host, std::size_t bytes);

}  // namespace fovea::cuda::emulated
