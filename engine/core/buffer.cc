#include "engine/core/buffer.h"

#include <atomic>
#include <cstdint>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include "engine/core/hash.h"
#include "engine/core/require.h"

namespace fovea {

Buffer::Buffer(std::size_t size, Content content) : size_(size), content_(std::move(content)) {
  static std::atomic<std::uint64_t> made = 0;
  if (content_.recipe.empty()) content_.recipe = cat("held ", ++made);
}

std::shared_ptr<const Buffer> Buffer::from(std::vector<std::byte> bytes) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  const std::span<const std::byte> span(*owner);
  return std::make_shared<const Buffer>(span.size(),
                                        Content{.bytes = span,
                                                .owner = std::move(owner),
                                                .recipe = cat("xxh3 ", xxh3_128(span)),
                                                .compute = {}});
}

std::shared_ptr<const Buffer> Buffer::view(std::span<const std::byte> bytes,
                                           std::shared_ptr<const void> owner) {
  return std::make_shared<const Buffer>(
      bytes.size(),
      Content{.bytes = bytes, .owner = std::move(owner), .recipe = {}, .compute = {}});
}

std::shared_ptr<const Buffer> Buffer::mapped(std::span<const std::byte> bytes,
                                             std::shared_ptr<const void> owner) {
  return std::make_shared<const Buffer>(bytes.size(),
                                        Content{.bytes = bytes,
                                                .owner = std::move(owner),
                                                .is_mapped = true,
                                                .recipe = {},
                                                .compute = {}});
}

std::shared_ptr<const Buffer> Buffer::computed(std::size_t size,
                                               std::string recipe,
                                               std::function<void(std::span<std::byte>)> compute) {
  return std::make_shared<const Buffer>(
      size,
      Content{
          .bytes = {}, .owner = {}, .recipe = std::move(recipe), .compute = std::move(compute)});
}

std::shared_ptr<const Buffer> Buffer::identified(std::string identity) const {
  Content content = content_;
  content.recipe = std::move(identity);
  return std::make_shared<const Buffer>(size_, std::move(content));
}

PinnedBytes Buffer::read() const {
  if (!content_.compute) return {content_.bytes, content_.owner};
  const std::shared_ptr<std::byte[]> bytes = std::make_unique_for_overwrite<std::byte[]>(size_);
  const std::span<std::byte> span(bytes.get(), size_);
  content_.compute(span);
  return {span, bytes};
}

void Buffer::forget(std::size_t begin, std::size_t count) const {
  if (!content_.is_mapped || count == 0) return;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto start = reinterpret_cast<std::uintptr_t>(content_.bytes.data() + begin);
  // Whole pages only: a neighbour may be reading the ones at the ends.
  const std::uintptr_t first = (start + page - 1) / page * page;
  const std::uintptr_t last = (start + count) / page * page;
  if (first >= last) return;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address within the mapping
  (void)::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace fovea
