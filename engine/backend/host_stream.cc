#include "engine/backend/host_stream.h"

#include <cstring>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace fovea {

namespace {

/// From here on memory comes in pages of the system, which are zeroed and can be large ones.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::shared_ptr<std::byte> map_pages(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;  // NOLINT(performance-no-int-to-ptr): the system's
  (void)::madvise(memory, bytes, MADV_HUGEPAGE);
  return {static_cast<std::byte*>(memory), [bytes](std::byte* p) { ::munmap(p, bytes); }};
}

std::shared_ptr<std::byte> zeroed_heap(std::size_t bytes) {
  constexpr std::align_val_t kAlignment{kBufferAlignment};
  auto* memory = static_cast<std::byte*>(::operator new(bytes, kAlignment, std::nothrow));
  if (memory == nullptr) return nullptr;
  std::memset(memory, 0, bytes);
  return {memory, [](std::byte* p) { ::operator delete(p, std::align_val_t{kBufferAlignment}); }};
}

}  // namespace

std::shared_ptr<std::byte> allocate_host(std::size_t bytes) {
  std::shared_ptr<std::byte> memory = bytes < kHugePage ? zeroed_heap(bytes) : map_pages(bytes);
  if (memory == nullptr) {
    throw DeviceError(
        cat("no ", bytes, " bytes of memory for the plan; a smaller largest batch needs less"),
        ErrorCode::kDeviceOutOfMemory);
  }
  return memory;
}

std::shared_ptr<std::byte> Backend::allocate_host(std::size_t bytes) const {
  return fovea::allocate_host(bytes);
}

MemoryInfo host_memory_info() {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return {.free_bytes = page * static_cast<std::size_t>(sysconf(_SC_AVPHYS_PAGES)),
          .total_bytes = page * static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES))};
}

}  // namespace fovea
