#include "engine/backend/host_stream.h"

#include <new>

#include <unistd.h>

namespace fovea {

std::shared_ptr<std::byte> allocate_host(std::size_t bytes) {
  constexpr std::align_val_t kAlignment{kBufferAlignment};
  auto* memory = static_cast<std::byte*>(::operator new(bytes, kAlignment, std::nothrow));
  if (memory == nullptr) {
    throw DeviceError(
        cat("no ", bytes, " bytes of memory for the plan; a smaller largest batch needs less"),
        ErrorCode::kDeviceOutOfMemory);
  }
  return {memory, [](std::byte* p) { ::operator delete(p, std::align_val_t{kBufferAlignment}); }};
}

MemoryInfo host_memory_info() {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return {.free_bytes = page * static_cast<std::size_t>(sysconf(_SC_AVPHYS_PAGES)),
          .total_bytes = page * static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES))};
}

}  // namespace fovea
