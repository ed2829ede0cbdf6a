#include "engine/backend/reference/reference_backend.h"

#include "engine/backend/evaluate_step.h"
#include "engine/backend/host_stream.h"

namespace fovea {

namespace {

class ReferenceBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "reference"; }

  /// Nothing is fused: the oracle runs the graph as it was described.
  [[nodiscard]] TargetTraits traits() const override {
    return {.precisions = TargetTraits::bit(Precision::kFp32) |
                          TargetTraits::bit(Precision::kFp16) |
                          TargetTraits::bit(Precision::kBf16)};
  }

  /// It has one tactic for everything: no time decides anything.
  [[nodiscard]] std::string fingerprint() const override { return "reference"; }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    return {evaluate_tactic(site)};
  }

  [[nodiscard]] Tactic conversion(const TensorDesc& /*desc*/,
                                  const Layout& from,
                                  const Layout& to) const override {
    throw Error(ErrorCode::kInternal,
                cat("reference was asked to convert ", to_string(from), " to ", to_string(to)));
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int /*threads*/) const override {
    return std::make_unique<HostStream>();
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    return allocate_host(bytes);
  }

  [[nodiscard]] bool on_host() const override { return true; }

  [[nodiscard]] MemoryInfo memory_info() const override { return host_memory_info(); }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend() {
  return std::make_unique<ReferenceBackend>();
}

}  // namespace fovea
