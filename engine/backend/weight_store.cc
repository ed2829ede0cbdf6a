#include "engine/backend/weight_store.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace fovea {

WeightStore::WeightStore(const Backend& backend, std::shared_ptr<const PackedWeights> known)
    : backend_(backend),
      stream_(backend.on_host() ? nullptr : backend.make_stream(1)),
      known_(std::move(known)) {}

std::shared_ptr<const std::byte> WeightStore::make(
    std::size_t bytes, const std::function<void(std::span<std::byte>)>& fill) {
  std::shared_ptr<std::byte> device = backend_.allocate(bytes);
  if (backend_.on_host()) {
    fill({device.get(), bytes});
  } else {
    std::vector<std::byte> host(bytes);
    fill(host);
    stream_->upload(device.get(), host.data(), bytes);
    stream_->synchronize();
  }
  return device;
}

std::shared_ptr<const std::byte> WeightStore::get(
    const std::string& key,
    std::size_t bytes,
    const std::function<void(std::span<std::byte>)>& pack) {
  const auto packed_before = packed_.find(key);
  if (packed_before != packed_.end()) return packed_before->second.data;

  std::span<const std::byte> there;
  if (known_ != nullptr) {
    const auto found = known_->by_key.find(key);
    if (found != known_->by_key.end() && found->second.size() == bytes) there = found->second;
  }
  Packed packed{.data = {}, .bytes = bytes};
  if (there.empty()) {
    packed.data = make(bytes, pack);
  } else if (backend_.on_host()) {
    packed.data = {known_->owner, there.data()};
  } else {
    packed.data =
        make(bytes, [&](std::span<std::byte> out) { std::ranges::copy(there, out.data()); });
  }
  bytes_ += bytes;
  return packed_.emplace(key, std::move(packed)).first->second.data;
}

void WeightStore::for_each(
    const std::function<void(const std::string& key, std::span<const std::byte> bytes)>& take)
    const {
  for (const auto& [key, packed] : packed_) {
    if (backend_.on_host()) {
      take(key, {packed.data.get(), packed.bytes});
      continue;
    }
    std::vector<std::byte> host(packed.bytes);
    stream_->download(host.data(), packed.data.get(), packed.bytes);
    stream_->synchronize();
    take(key, host);
  }
}

PinnedBytes WeightStore::unpacked(const Constant& constant) {
  const std::string key = constant.key();
  const auto known = unpacked_.find(key);
  return known != unpacked_.end() ? known->second
                                  : unpacked_.emplace(key, constant.read()).first->second;
}

}  // namespace fovea
