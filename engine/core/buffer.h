// Immutable bytes: what weights are kept in.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fovea {

/// Bytes that stay where they are while this value, or a copy of it, lives.
class PinnedBytes {
 public:
  PinnedBytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner)
      : bytes_(bytes), owner_(std::move(owner)) {}

  [[nodiscard]] const std::byte* data() const { return bytes_.data(); }

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  [[nodiscard]] auto begin() const { return bytes_.begin(); }

  [[nodiscard]] auto end() const { return bytes_.end(); }

 private:
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
};

/// Immutable bytes that are shared by pointer. They are held (in a vector or a mapped file), or
/// computed whenever somebody reads them: weights that follow from others then exist only while
/// they are packed. Thread-safe. Data starts at an address that is a multiple of 8 or more.
class Buffer {
 public:
  /// Takes the bytes over; their identity is a hash of them.
  static std::shared_ptr<const Buffer> from(std::vector<std::byte> bytes);

  /// Refers to bytes that live as long as `owner`.
  static std::shared_ptr<const Buffer> view(std::span<const std::byte> bytes,
                                            std::shared_ptr<const void> owner);

  /// The same, of a file that is mapped read-only.
  static std::shared_ptr<const Buffer> mapped(std::span<const std::byte> bytes,
                                              std::shared_ptr<const void> owner);

  /// `size` bytes that `compute` writes, the same ones at every call and by any thread.
  ///
  /// recipe   what is computed from what, with the identities of buffers that it reads: equal
  ///          recipes give equal bytes
  static std::shared_ptr<const Buffer> computed(std::size_t size,
                                                std::string recipe,
                                                std::function<void(std::span<std::byte>)> compute);

  /// The same bytes, known to be those of that identity, which must tell their content: equal only
  /// for equal bytes, in every process.
  [[nodiscard]] std::shared_ptr<const Buffer> identified(std::string identity) const;

  [[nodiscard]] std::size_t size() const { return size_; }

  /// The bytes: those held, or new ones, computed now.
  [[nodiscard]] PinnedBytes read() const;

  /// Tells the system that bytes [begin, begin + count) of a mapped file will not be read soon, so
  /// that they stop counting as the process's memory. They stay readable; other buffers ignore it.
  void forget(std::size_t begin, std::size_t count) const;

  /// The same for two buffers of this process only where their bytes are equal: what identified()
  /// was told, the recipe, a hash, or for views a number (a hash would have to read them all).
  /// Other processes give the same identity to equal bytes, numbers aside.
  [[nodiscard]] const std::string& identity() const { return content_.recipe; }

  /// For the functions above.
  struct Content {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
    bool is_mapped = false;
    std::string recipe;  ///< the identity; empty: a number
    std::function<void(std::span<std::byte>)> compute;
  };

  Buffer(std::size_t size, Content content);

 private:
  std::size_t size_;
  Content content_;
};

}  // namespace fovea
