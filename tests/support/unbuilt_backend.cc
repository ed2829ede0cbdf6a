#include "tests/support/unbuilt_backend.h"

#include <utility>

#include "engine/backend/evaluate_step.h"

namespace fovea::test {

namespace {

class NoStep final : public Step {
 public:
  void enqueue(const StepArgs& /*args*/, Stream& /*stream*/) const override {}
};

void leave_unbuilt(Tactic& tactic) {
  tactic.build = [](const BuildArgs& /*args*/) { return std::make_unique<NoStep>(); };
}

class UnbuiltBackend final : public Backend {
 public:
  explicit UnbuiltBackend(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}

  [[nodiscard]] std::string_view name() const override { return backend_->name(); }

  [[nodiscard]] TargetTraits traits() const override { return backend_->traits(); }

  [[nodiscard]] std::string fingerprint() const override { return backend_->fingerprint(); }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    std::vector<Tactic> tactics = backend_->tactics(site);
    if (tactics.empty()) tactics.push_back(evaluate_tactic(site));
    for (Tactic& tactic : tactics) leave_unbuilt(tactic);
    return tactics;
  }

  [[nodiscard]] Tactic conversion(const TensorDesc& desc,
                                  const Layout& from,
                                  const Layout& to) const override {
    Tactic tactic = backend_->conversion(desc, from, to);
    leave_unbuilt(tactic);
    return tactic;
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int threads) const override {
    return backend_->make_stream(threads);
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    return backend_->allocate(bytes);
  }

  [[nodiscard]] MemoryInfo memory_info() const override { return backend_->memory_info(); }

 private:
  std::unique_ptr<Backend> backend_;
};

}  // namespace

std::unique_ptr<Backend> make_unbuilt_backend(std::unique_ptr<Backend> backend) {
  return std::make_unique<UnbuiltBackend>(std::move(backend));
}

}  // namespace fovea::test
