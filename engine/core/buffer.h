// Immutable bytes with a content hash: what weights are kept in.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace fovea {

/// Immutable bytes that are shared by pointer; the owner may be a vector or a mapped file.
/// Thread-safe. Data starts at an address that is a multiple of 8 or more.
class Buffer {
 public:
  /// Takes the bytes over.
  static std::shared_ptr<const Buffer> from(std::vector<std::byte> bytes);

  /// Refers to bytes that live as long as `owner`.
  static std::shared_ptr<const Buffer> view(std::span<const std::byte> bytes,
                                            std::shared_ptr<const void> owner);

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

  /// xxh3-128 of the bytes as 32 hexadecimal digits; computed at the first call.
  [[nodiscard]] const std::string& hash() const;

  Buffer(std::span<const std::byte> bytes, std::shared_ptr<const void> owner)
      : bytes_(bytes), owner_(std::move(owner)) {}

 private:
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
  mutable std::once_flag hashed_;
  mutable std::string hash_;
};

}  // namespace fovea
