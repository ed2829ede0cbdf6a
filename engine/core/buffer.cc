#include "engine/core/buffer.h"

#include <utility>

#include "engine/core/hash.h"

namespace fovea {

std::shared_ptr<const Buffer> Buffer::from(std::vector<std::byte> bytes) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  const std::span<const std::byte> span(*owner);
  return std::make_shared<const Buffer>(span, std::move(owner));
}

std::shared_ptr<const Buffer> Buffer::view(std::span<const std::byte> bytes,
                                           std::shared_ptr<const void> owner) {
  return std::make_shared<const Buffer>(bytes, std::move(owner));
}

const std::string& Buffer::hash() const {
  std::call_once(hashed_, [this] { hash_ = xxh3_128(bytes_); });
  return hash_;
}

}  // namespace fovea
