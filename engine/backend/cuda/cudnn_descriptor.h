// Ownership of cuDNN's objects: backend descriptors and handles.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/backend/cuda/cudnn_library.h"

namespace fovea::cuda {

/// One object of cuDNN's backend API: attributes are set, then it is finalized and no longer
/// changes. The library outlives it. Move-only. Every function throws CudnnError.
class Descriptor {
 public:
  Descriptor(const CudnnLibrary& library, cudnnBackendDescriptorType_t type) : library_(&library) {
    check(library, library.create_descriptor(type, &handle_), "creating a descriptor");
  }

  Descriptor(Descriptor&& other) noexcept
      : library_(other.library_), handle_(std::exchange(other.handle_, nullptr)) {}

  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(library_, other.library_);
    std::swap(handle_, other.handle_);
    return *this;
  }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  ~Descriptor() {
    if (handle_ != nullptr) (void)library_->destroy_descriptor(handle_);
  }

  Descriptor& set(cudnnBackendAttributeName_t name,
                  cudnnBackendAttributeType_t type,
                  std::int64_t count,
                  const void* values) {
    check(*library_,
          library_->set_attribute(handle_, name, type, count, values),
          "setting an attribute");
    return *this;
  }

  /// One value, of the attribute type that its C++ type stands for.
  template <typename T>
  Descriptor& set(cudnnBackendAttributeName_t name, T value) {
    return set(name, kTypeOf<T>, 1, static_cast<const void*>(&value));
  }

  /// `value` outlives this one.
  Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& value) {
    return set(name, value.handle_);
  }

  Descriptor& set_all(cudnnBackendAttributeName_t name, std::span<const Descriptor> values) {
    std::vector<cudnnBackendDescriptor_t> handles;
    handles.reserve(values.size());
    for (const Descriptor& value : values) handles.push_back(value.handle_);
    return set(name,
               CUDNN_TYPE_BACKEND_DESCRIPTOR,
               static_cast<std::int64_t>(handles.size()),
               static_cast<const void*>(handles.data()));
  }

  Descriptor& set_all(cudnnBackendAttributeName_t name, std::span<const std::int64_t> values) {
    return set(name, CUDNN_TYPE_INT64, static_cast<std::int64_t>(values.size()), values.data());
  }

  Descriptor& set_text(cudnnBackendAttributeName_t name, std::string_view text) {
    return set(name, CUDNN_TYPE_CHAR, static_cast<std::int64_t>(text.size()), text.data());
  }

  /// what   is made, for the message: "building a plan"
  void finalize(const char* what) { check(*library_, library_->finalize(handle_), what); }

  /// Up to `values.size()` elements; returns how many there are.
  template <typename T>
  [[nodiscard]] std::int64_t get(cudnnBackendAttributeName_t name, std::span<T> values) const {
    std::int64_t count = 0;
    check(*library_,
          library_->get_attribute(handle_,
                                  name,
                                  kTypeOf<T>,
                                  static_cast<std::int64_t>(values.size()),
                                  &count,
                                  static_cast<void*>(values.data())),
          "reading an attribute");
    return count;
  }

  template <typename T>
  [[nodiscard]] T get(cudnnBackendAttributeName_t name) const {
    T value{};
    (void)get(name, std::span<T>(&value, 1));
    return value;
  }

  [[nodiscard]] std::string get_text(cudnnBackendAttributeName_t name) const {
    std::string text(static_cast<std::size_t>(get(name, std::span<char>())), '\0');
    (void)get(name, std::span<char>(text));
    return text;
  }

  /// Never null, but after it was moved from.
  [[nodiscard]] cudnnBackendDescriptor_t get() const { return handle_; }

 private:
  template <typename T>
  static constexpr cudnnBackendAttributeType_t kTypeOf = [] {
    if constexpr (std::is_same_v<T, std::int64_t>) return CUDNN_TYPE_INT64;
    if constexpr (std::is_same_v<T, std::int32_t>) return CUDNN_TYPE_INT32;
    if constexpr (std::is_same_v<T, float>) return CUDNN_TYPE_FLOAT;
    if constexpr (std::is_same_v<T, double>) return CUDNN_TYPE_DOUBLE;
    if constexpr (std::is_same_v<T, bool>) return CUDNN_TYPE_BOOLEAN;
    if constexpr (std::is_same_v<T, char>) return CUDNN_TYPE_CHAR;
    if constexpr (std::is_same_v<T, cudnnDataType_t>) return CUDNN_TYPE_DATA_TYPE;
    if constexpr (std::is_same_v<T, cudnnConvolutionMode_t>) return CUDNN_TYPE_CONVOLUTION_MODE;
    if constexpr (std::is_same_v<T, cudnnPointwiseMode_t>) return CUDNN_TYPE_POINTWISE_MODE;
    if constexpr (std::is_same_v<T, cudnnBackendHeurMode_t>) return CUDNN_TYPE_HEUR_MODE;
    if constexpr (std::is_same_v<T, cudnnBackendKnobType_t>) return CUDNN_TYPE_KNOB_TYPE;
    if constexpr (std::is_same_v<T, cudnnBackendNumericalNote_t>) return CUDNN_TYPE_NUMERICAL_NOTE;
    if constexpr (std::is_same_v<T, cudnnBackendBehaviorNote_t>) return CUDNN_TYPE_BEHAVIOR_NOTE;
    if constexpr (std::is_same_v<T, cudnnHandle_t>) return CUDNN_TYPE_HANDLE;
    // The same type as a plain address, which is set with its type spelt out.
    if constexpr (std::is_same_v<T, cudnnBackendDescriptor_t>) return CUDNN_TYPE_BACKEND_DESCRIPTOR;
  }();

  const CudnnLibrary* library_;
  cudnnBackendDescriptor_t handle_ = nullptr;
};

struct DestroyHandle {
  const CudnnLibrary* library = nullptr;

  void operator()(cudnnHandle_t handle) const noexcept { (void)library->destroy(handle); }
};

/// cuDNN's state for one thread at a time. The library outlives it.
using CudnnHandle = std::unique_ptr<cudnnContext, DestroyHandle>;

/// For the calling thread's current device. Throws CudnnError where there is none.
[[nodiscard]] inline CudnnHandle make_handle(const CudnnLibrary& library) {
  cudnnHandle_t handle = nullptr;
  check(library, library.create(&handle), "creating a handle");
  return CudnnHandle(handle, DestroyHandle{&library});
}

/// What graphs, heuristics and plans are made for: the device of a handle, or one that is not here
/// and whose properties are known. Neither is owned; null both: no device, which is enough for a
/// graph.
struct CudnnTarget {
  cudnnHandle_t handle = nullptr;
  const Descriptor* properties = nullptr;
};

}  // namespace fovea::cuda
