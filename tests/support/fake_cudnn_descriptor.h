// A descriptor of the fake cuDNN: the attributes that it was given.
#pragma once

#include <cstddef>
#include <cstring>
#include <map>
#include <span>
#include <vector>

#include "tests/support/fake_cudnn_plan.h"

namespace fovea::test {

struct FakeDescriptor {
  cudnnBackendDescriptorType_t type;
  bool finalized = false;
  std::map<cudnnBackendAttributeName_t, std::vector<std::byte>> attributes;

  template <typename T>
  [[nodiscard]] std::vector<T> all(cudnnBackendAttributeName_t name) const {
    const auto found = attributes.find(name);
    if (found == attributes.end() || found->second.empty()) return {};
    std::vector<T> values(found->second.size() / sizeof(T));
    std::memcpy(static_cast<void*>(values.data()), found->second.data(), found->second.size());
    return values;
  }

  template <typename T>
  [[nodiscard]] T one(cudnnBackendAttributeName_t name) const {
    const auto found = attributes.find(name);
    T value{};
    if (found != attributes.end() && found->second.size() >= sizeof value) {
      std::memcpy(static_cast<void*>(&value), found->second.data(), sizeof value);
    }
    return value;
  }

  [[nodiscard]] const FakeDescriptor* ref(cudnnBackendAttributeName_t name) const {
    return static_cast<const FakeDescriptor*>(one<cudnnBackendDescriptor_t>(name));
  }

  template <typename T>
  void put(cudnnBackendAttributeName_t name, const std::vector<T>& values) {
    const auto bytes = std::as_bytes(std::span(values));
    attributes[name].assign(bytes.begin(), bytes.end());
  }
};

/// Bytes of one value of the type.
[[nodiscard]] std::size_t size_of(cudnnBackendAttributeType_t type);

/// Of an engine's configuration.
[[nodiscard]] std::vector<cuda::CudnnKnob> knobs_of(const FakeDescriptor& config);

/// An operation graph as a plan without an engine.
[[nodiscard]] FakePlan describe_graph(const FakeDescriptor& graph);

}  // namespace fovea::test
