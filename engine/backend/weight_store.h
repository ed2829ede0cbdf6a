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

/// Packed weights that are there already, for example in a mapped file. Never written to.
struct PackedWeights {
  std::map<std::string, std::span<const std::byte>, std::less<>> by_key;
  std::shared_ptr<const void> owner;  ///< the bytes live as long as it does
};

/// Packed weights start at a multiple of this many bytes.
inline constexpr std::size_t kPackedAlignment = 64;

/// Weights in the form that steps read them, in device memory where that is packed. Filled while a
/// plan is compiled, by one thread; the memory lives as long as any step holds its pointer.
class WeightStore {
 public:
  /// known   weights that were packed before by a backend of the same fingerprint, at multiples of
  ///         kPackedAlignment, or null: they are used in place of packing them again, and where
  ///         they lie where the device reads ordinary memory
  explicit WeightStore(const Backend& backend,
                       std::shared_ptr<const PackedWeights> known = nullptr);

  /// The packed bytes under `key`. Where the key is new and not known, `pack` fills `bytes` zeroed
  /// bytes of host memory, which are then uploaded where the device has memory of its own. The key
  /// names content and form, for example "<hash> OHWI16o": equal keys mean equal bytes, in other
  /// processes too where the constants' identities say the same there (Buffer::identity).
  std::shared_ptr<const std::byte> get(const std::string& key,
                                       std::size_t bytes,
                                       const std::function<void(std::span<std::byte>)>& pack);

  /// The Constant's elements as they are, row-major, in host memory: read once for all steps of all
  /// buckets, and no packed weights.
  PinnedBytes unpacked(const Constant& constant);

  /// Bytes of all packed weights.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Hands out every packed weight, in host memory for the time of the call, ordered by key.
  void for_each(const std::function<void(const std::string& key, std::span<const std::byte> bytes)>&
                    take) const;

 private:
  struct Packed {
    std::shared_ptr<const std::byte> data;
    std::size_t bytes = 0;
  };

  /// New device memory with what `fill` writes.
  [[nodiscard]] std::shared_ptr<const std::byte> make(
      std::size_t bytes, const std::function<void(std::span<std::byte>)>& fill);

  const Backend& backend_;
  std::unique_ptr<Stream> stream_;  ///< null where the device is the host
  std::shared_ptr<const PackedWeights> known_;
  std::map<std::string, Packed> packed_;
  std::map<std::string, PinnedBytes> unpacked_;
  std::size_t bytes_ = 0;
};

}  // namespace fovea
