#include "engine/core/hash.h"

#include <memory>

#include <xxhash.h>

#include "engine/core/hex.h"

namespace fovea {

namespace {

std::string text_of(const XXH128_hash_t& hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  return hex(canonical.digest);
}

}  // namespace

std::string xxh3_128(std::span<const std::byte> bytes) {
  return text_of(XXH3_128bits(bytes.data(), bytes.size()));
}

struct Xxh3::State {
  struct Free {
    void operator()(XXH3_state_t* owned) const { XXH3_freeState(owned); }
  };

  std::unique_ptr<XXH3_state_t, Free> state{XXH3_createState()};
};

Xxh3::Xxh3() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(state_->state.get());
}

Xxh3::~Xxh3() = default;

void Xxh3::add(std::span<const std::byte> bytes) {
  XXH3_128bits_update(state_->state.get(), bytes.data(), bytes.size());
}

std::string Xxh3::digest() const {
  return text_of(XXH3_128bits_digest(state_->state.get()));
}

}  // namespace fovea
