// Packed weights of a plan, one copy for all of its batch buckets.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "engine/backend/backend.h"

namespace fovea {

/// Weights in the form that steps read them, in device memory where that is packed. Filled while a
/// plan is compiled, by one thread; the memory lives as long as any step holds its pointer.
class WeightStore {
 public:
  explicit WeightStore(const Backend& backend);

  /// The packed bytes under `key`. Where the key is new, `pack` fills `bytes` zeroed bytes of
  /// host memory, which are then uploaded where the device has memory of its own. The key names
  /// content and form, for example "<hash> OHWI16o".
  std::shared_ptr<const std::byte> get(const std::string& key,
                                       std::size_t bytes,
                                       const std::function<void(std::span<std::byte>)>& pack);

  /// The Constant's elements as they are, row-major, in host memory: read once for all steps of all
  /// buckets, and no packed weights.
  PinnedBytes unpacked(const Constant& constant);

  /// Bytes of all packed weights.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  const Backend& backend_;
  std::unique_ptr<Stream> stream_;
  std::map<std::string, std::shared_ptr<const std::byte>> packed_;
  std::map<std::string, PinnedBytes> unpacked_;
  std::size_t bytes_ = 0;
};

}  // namespace fovea
