// A backend of whose tactics for convolutions a test wants some only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/backend.h"

namespace fovea::test {

/// The backend with those tactics of a Conv2d alone whose name `keeps` accepts.
class KeptTactics final : public Backend {
 public:
  KeptTactics(std::unique_ptr<Backend> backend, std::function<bool(const std::string&)> keeps)
      : backend_(std::move(backend)), keeps_(std::move(keeps)) {}

  [[nodiscard]] std::string_view name() const override { return backend_->name(); }

  [[nodiscard]] TargetTraits traits() const override { return backend_->traits(); }

  [[nodiscard]] std::string fingerprint() const override { return backend_->fingerprint(); }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    std::vector<Tactic> tactics = backend_->tactics(site);
    if (site.node.as<Conv2d>() == nullptr) return tactics;
    std::erase_if(tactics, [&](const Tactic& tactic) { return !keeps_(tactic.name); });
    return tactics;
  }

  [[nodiscard]] Tactic conversion(const TensorDesc& desc,
                                  const Layout& from,
                                  const Layout& to) const override {
    return backend_->conversion(desc, from, to);
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int threads) const override {
    return backend_->make_stream(threads);
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    return backend_->allocate(bytes);
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate_host(std::size_t bytes) const override {
    return backend_->allocate_host(bytes);
  }

  [[nodiscard]] bool on_host() const override { return backend_->on_host(); }

  [[nodiscard]] MemoryInfo memory_info() const override { return backend_->memory_info(); }

 private:
  std::unique_ptr<Backend> backend_;
  std::function<bool(const std::string&)> keeps_;
};

}  // namespace fovea::test
