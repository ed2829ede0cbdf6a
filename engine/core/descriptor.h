// Ownership of a POSIX file descriptor.
#pragma once

#include <utility>

#include <unistd.h>

namespace fovea {

/// Closes its descriptor; -1 is none. Move-only.
class Descriptor {
 public:
  Descriptor() = default;

  explicit Descriptor(int value) : value_(value) {}

  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}

  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }

  [[nodiscard]] int get() const { return value_; }

  [[nodiscard]] bool valid() const { return value_ >= 0; }

 private:
  int value_ = -1;
};

}  // namespace fovea
