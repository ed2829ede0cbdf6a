#include "engine/backend/weight_store.h"

#include <vector>

namespace fovea {

WeightStore::WeightStore(const Backend& backend)
    : backend_(backend), stream_(backend.make_stream(1)) {}

std::shared_ptr<const std::byte> WeightStore::get(
    const std::string& key,
    std::size_t bytes,
    const std::function<void(std::span<std::byte>)>& pack) {
  const auto known = packed_.find(key);
  if (known != packed_.end()) return known->second;

  const std::shared_ptr<std::byte> device = backend_.allocate(bytes);
  if (backend_.on_host()) {
    pack({device.get(), bytes});
  } else {
    std::vector<std::byte> host(bytes);
    pack(host);
    stream_->upload(device.get(), host.data(), bytes);
    stream_->synchronize();
  }
  bytes_ += bytes;
  packed_.emplace(key, device);
  return device;
}

PinnedBytes WeightStore::unpacked(const Constant& constant) {
  const std::string key = constant.key();
  const auto known = unpacked_.find(key);
  return known != unpacked_.end() ? known->second
                                  : unpacked_.emplace(key, constant.read()).first->second;
}

}  // namespace fovea
