#include "engine/backend/cpu/cpu_backend.h"

#include "engine/backend/cpu/copy.h"
#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/direct.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/library.h"
#include "engine/backend/cpu/lowerings.h"
#include "engine/backend/cpu/primitive_step.h"
#include "engine/core/cpu_features.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

/// Assertions slow our own kernels down, but not oneDNN's.
#ifdef NDEBUG
constexpr std::string_view kChecked;
#else
constexpr std::string_view kChecked = " with assertions";
#endif

constexpr std::uint32_t bit(ActivationKind kind) {
  return 1U << static_cast<unsigned>(kind);
}

/// Activations that are bounds, which our own convolutions have for each filter.
constexpr std::uint32_t kBounds = bit(ActivationKind::kRelu) | bit(ActivationKind::kClip);

class CpuBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "cpu"; }

  [[nodiscard]] TargetTraits traits() const override {
    return {.fused_activations = bit(ActivationKind::kRelu) | bit(ActivationKind::kClip) |
                                 bit(ActivationKind::kTanh) | bit(ActivationKind::kSigmoid),
            .fuses_residual = true,
            .fuses_input_relu = true,
            .writes_slices = true,
            .reads_slices = cpu::own_kernels(),
            .partial_activations = cpu::own_kernels() ? kBounds : 0U,
            .fuses_pool_activation = true,
            .fuses_softmax_topk = true,
            .precisions =
                TargetTraits::bit(Precision::kFp32) |
                (bf16_support() == Bf16Support::kNone ? 0U : TargetTraits::bit(Precision::kBf16))};
  }

  [[nodiscard]] std::string fingerprint() const override {
    return cat("cpu; ",
               cpu_model(),
               "; oneDNN ",
               onednn_version(),
               ' ',
               onednn_isa(),
               "; kernels ",
               cpu::kKernelsVersion,
               cpu::own_kernels() ? " by avx512" : "",
               kChecked);
  }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    try {
      return cpu::lower(site);
    } catch (const dnnl::error& error) {
      throw DeviceError(cat(
          "oneDNN refused '", site.node.name, "' (", op_name(site.node.op), "): ", error.what()));
    }
  }

  [[nodiscard]] Tactic conversion(const TensorDesc& desc,
                                  const Layout& from,
                                  const Layout& to) const override {
    if (cpu::pixel_stride(desc, from) && cpu::pixel_stride(desc, to)) {
      return cpu::copy_tactic(desc, from, to);
    }
    const dnnl::memory::desc source = cpu::memory_desc(desc, from);
    const dnnl::memory::desc destination = cpu::memory_desc(desc, to);
    const dnnl::reorder::primitive_desc primitive(
        cpu::engine(), source, cpu::engine(), destination, cpu::base_attributes());
    Tactic tactic;
    tactic.name = "onednn:reorder";
    tactic.inputs = {from};
    tactic.outputs = {to};
    tactic.workspace_bytes = primitive.scratchpad_desc().get_size();
    tactic.build = [=](const BuildArgs&) {
      return cpu::make_primitive_step({.primitive = dnnl::reorder(primitive),
                                       .source = {DNNL_ARG_FROM, source},
                                       .destination = {DNNL_ARG_TO, destination},
                                       .weights = {},
                                       .scratchpad = primitive.scratchpad_desc()});
    };
    return tactic;
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream(int threads) const override {
    return std::make_unique<cpu::CpuStream>(threads);
  }

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const override {
    return allocate_host(bytes);
  }

  [[nodiscard]] bool on_host() const override { return true; }

  [[nodiscard]] MemoryInfo memory_info() const override { return host_memory_info(); }
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend() {
  return std::make_unique<CpuBackend>();
}

}  // namespace fovea
