// Ownership of what libhdf5 hands out.
#pragma once

#include <utility>

#include <hdf5.h>

namespace fovea::keras {

/// An identifier of libhdf5, closed by the destructor. A negative one stands for nothing.
class H5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  H5Handle() = default;

  H5Handle(hid_t id, Close close) : id_(id), close_(close) {}

  H5Handle(H5Handle&& other) noexcept
      : id_(std::exchange(other.id_, -1)), close_(std::exchange(other.close_, nullptr)) {}

  H5Handle& operator=(H5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }

  H5Handle(const H5Handle&) = delete;
  H5Handle& operator=(const H5Handle&) = delete;

  ~H5Handle() {
    if (id_ >= 0) close_(id_);
  }

  [[nodiscard]] hid_t get() const { return id_; }

  [[nodiscard]] bool valid() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

}  // namespace fovea::keras
