#include "engine/backend/cuda/cublaslt_dense.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "engine/backend/cuda/cublaslt_algorithms.h"
#include "engine/backend/cuda/cuda_stream.h"
#include "engine/backend/cuda/kernel_step.h"
#include "engine/backend/cuda/packed_constant.h"
#include "engine/core/joined.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

/// What NVIDIA recommends for devices of compute capability 9.0.
constexpr std::size_t kMostWorkspaceBytes = std::size_t{32} << 20U;

CublasLtPlace place(const TensorDesc& desc, const Layout& layout) {
  CublasLtPlace place{.row_stride = pixel_stride(desc, layout)};
  if (layout.kind == Layout::Kind::kSliced) {
    const auto bytes = static_cast<std::int64_t>(element_size(desc.dtype));
    place.alignment = std::gcd(place.alignment, layout.channel_offset * bytes);
  }
  return place;
}

/// The site's Dense with its input as it lies, if it is no other backend's, and a dense result.
/// Nothing where cuBLASLt has no such layer.
std::optional<CublasLtProduct> describe(const OpSite& site) {
  const auto& op = *site.node.as<Dense>();
  const TensorDesc& x = site.input(0);
  const TensorDesc& y = site.node.outputs[0];
  const bool knows_activation =
      op.activation.kind == ActivationKind::kNone || op.activation.kind == ActivationKind::kRelu;
  if (!knows_activation || !is_element_type(x.dtype) || y.dtype != x.dtype ||
      site.constant(1) == nullptr || (op.bias && site.constant(2) == nullptr)) {
    return std::nullopt;
  }
  return CublasLtProduct{.dtype = x.dtype,
                         .rows = x.shape[0],
                         .inputs = x.shape[1],
                         .outputs = y.shape[1],
                         .x = place(x, site.inputs[0]),
                         .y = place(y, Layout{}),
                         .bias = op.bias,
                         .relu = op.activation.kind == ActivationKind::kRelu,
                         .tf32 = site.tf32 && x.dtype == DType::kFloat32};
}

Tactic dense_tactic(const OpSite& site, std::string name) {
  Tactic tactic;
  tactic.name = std::move(name);
  tactic.inputs.resize(site.node.inputs.size());
  tactic.inputs[0] = strided_or_dense(site.inputs[0]);
  tactic.outputs.resize(1);
  tactic.writes_slices = true;
  return tactic;
}

/// cuBLASLt's handle for a stream.
struct CublasLtState final : StreamState {
  explicit CublasLtState(std::shared_ptr<const CublasLtLibrary> of)
      : library(std::move(of)), handle(make_handle(*library)) {}

  std::shared_ptr<const CublasLtLibrary> library;
  CublasLtHandle handle;
};

cublasLtHandle_t handle_of(const std::shared_ptr<const CublasLtLibrary>& library, Stream& stream) {
  const auto make = [&] { return std::make_unique<CublasLtState>(library); };
  return dynamic_cast<CudaStream&>(stream).states().get<CublasLtState>(make).handle.get();
}

struct StepParts {
  std::shared_ptr<const CublasLtLibrary> library;
  std::shared_ptr<const std::byte> weights;
  std::shared_ptr<const std::byte> bias;  ///< null: none
  CublasLtOperation operation;
  CublasLtChoice choice;
};

/// One product. Nothing writes to its descriptors, so threads share them.
class CublasLtStep final : public Step {
 public:
  explicit CublasLtStep(StepParts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] std::unique_ptr<StepState> bind(const StepArgs& /*args*/,
                                                Stream& stream) const override {
    (void)handle_of(parts_.library, stream);
    return nullptr;
  }

  void enqueue(const StepArgs& args, Stream& stream) const override {
    constexpr float kOne = 1;
    constexpr float kZero = 0;
    const CublasLtOperation& operation = parts_.operation;
    std::byte* const y = args.outputs[0];
    check(*parts_.library,
          parts_.library->multiply(handle_of(parts_.library, stream),
                                   operation.matmul.get(),
                                   &kOne,
                                   parts_.weights.get(),
                                   operation.weights.get(),
                                   args.inputs[0],
                                   operation.x.get(),
                                   &kZero,
                                   y,
                                   operation.y.get(),
                                   y,
                                   operation.y.get(),
                                   &parts_.choice.algorithm,
                                   args.workspace,
                                   parts_.choice.workspace_bytes,
                                   as_cuda(stream)),
          "multiplying");
  }

 private:
  StepParts parts_;
};

/// The device's algorithms, asked for by one thread at a time. Thread-safe.
class Heuristics {
 public:
  explicit Heuristics(std::shared_ptr<const CublasLtLibrary> library)
      : library_(std::move(library)) {}

  [[nodiscard]] const std::shared_ptr<const CublasLtLibrary>& library() const { return library_; }

  [[nodiscard]] CublasLtCandidates candidates(const CublasLtOperation& operation,
                                              const CublasLtProduct& product,
                                              std::size_t most_workspace_bytes) {
    const std::scoped_lock lock(mutex_);
    return find_candidates(*library_, handle(), operation, product, most_workspace_bytes);
  }

  /// configure(), or what the heuristics put first where that has nothing. Throws DeviceError where
  /// they have nothing.
  [[nodiscard]] CublasLtChoice choice(const CublasLtOperation& operation,
                                      const CublasLtProduct& product,
                                      const CublasLtAlgorithm& algorithm,
                                      std::size_t most_workspace_bytes) {
    const std::scoped_lock lock(mutex_);
    const auto same =
        configure(*library_, handle(), operation, product, algorithm, most_workspace_bytes);
    if (same) return *same;
    const CublasLtCandidates others =
        find_candidates(*library_, handle(), operation, product, most_workspace_bytes);
    if (!others.best.empty()) return others.best.front().choice;
    throw DeviceError(cat("cuBLASLt: no algorithm for ",
                          to_string(product),
                          " with at most ",
                          most_workspace_bytes,
                          " bytes of workspace",
                          others.refusals.empty() ? "" : ": ",
                          joined(others.refusals, "; ")));
  }

 private:
  [[nodiscard]] cublasLtHandle_t handle() {
    if (handle_ == nullptr) handle_ = make_handle(*library_);
    return handle_.get();
  }

  std::shared_ptr<const CublasLtLibrary> library_;
  std::mutex mutex_;
  CublasLtHandle handle_;
};

/// The algorithm that a tactic stands for, and the product that it was found for.
struct Offer {
  CublasLtProduct product;
  CublasLtCandidate candidate;
};

std::unique_ptr<Step> build_step(Heuristics& heuristics,
                                 const Offer& offer,
                                 const Constant& weights,
                                 const Constant* bias,
                                 const TensorDesc& y,
                                 const BuildArgs& args) {
  CublasLtProduct product = offer.product;
  product.y = place(y, args.outputs[0]);
  const auto packed_bias =
      bias == nullptr ? nullptr : packed_constant(*bias, product.dtype, args.weights);
  StepParts parts{.library = heuristics.library(),
                  .weights = packed_weights(weights, product.dtype, args.weights),
                  .bias = packed_bias,
                  .operation = make_operation(*heuristics.library(), product, packed_bias.get()),
                  .choice = offer.candidate.choice};
  if (product != offer.product) {
    parts.choice = heuristics.choice(
        parts.operation, product, offer.candidate.algorithm, parts.choice.workspace_bytes);
  }
  return std::make_unique<CublasLtStep>(std::move(parts));
}

class CublasLtDense final : public DenseLibrary {
 public:
  explicit CublasLtDense(std::shared_ptr<const CublasLtLibrary> library)
      : heuristics_(std::make_shared<Heuristics>(std::move(library))) {}

  [[nodiscard]] std::string version() const override {
    return cat("cuBLASLt ", heuristics_->library()->version);
  }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    const auto product = describe(site);
    if (!product) return {};
    // Parameters are packed when a step is built, and aligned to this at least.
    alignas(16) static constexpr std::byte kBias{};
    const CublasLtOperation operation = make_operation(*heuristics_->library(), *product, &kBias);
    const CublasLtCandidates found =
        heuristics_->candidates(operation, *product, kMostWorkspaceBytes);
    std::vector<Tactic> tactics;
    for (const CublasLtCandidate& candidate : found.best) {
      Tactic tactic = dense_tactic(site, cat("cublaslt:", to_string(candidate.algorithm)));
      tactic.workspace_bytes = candidate.choice.workspace_bytes;
      tactic.build = [heuristics = heuristics_,
                      offer = Offer{*product, candidate},
                      weights = *site.constant(1),
                      bias = product->bias ? std::optional(*site.constant(2)) : std::nullopt,
                      y = site.node.outputs[0]](const BuildArgs& args) {
        return build_step(*heuristics, offer, weights, bias ? &*bias : nullptr, y, args);
      };
      tactics.push_back(std::move(tactic));
    }
    return tactics;
  }

 private:
  std::shared_ptr<Heuristics> heuristics_;
};

class CublasLtShapes final : public DenseLibrary {
 public:
  explicit CublasLtShapes(std::shared_ptr<const CublasLtLibrary> library)
      : library_(std::move(library)) {}

  [[nodiscard]] std::string version() const override {
    return cat("cuBLASLt ", library_->version, " without a device");
  }

  [[nodiscard]] std::vector<Tactic> tactics(const OpSite& site) const override {
    if (!describe(site)) return {};
    Tactic tactic = dense_tactic(site, "cublaslt:best-1");
    tactic.build = [name = site.node.name](const BuildArgs&) -> std::unique_ptr<Step> {
      throw DeviceError(cat("node '",
                            name,
                            "' is computed by an algorithm of cuBLASLt, which is chosen on a GPU; "
                            "there is none here"),
                        ErrorCode::kDeviceNone);
    };
    return {std::move(tactic)};
  }

 private:
  std::shared_ptr<const CublasLtLibrary> library_;
};

}  // namespace

std::unique_ptr<DenseLibrary> make_cublaslt_dense(std::shared_ptr<const CublasLtLibrary> library) {
  return std::make_unique<CublasLtDense>(std::move(library));
}

std::unique_ptr<DenseLibrary> make_cublaslt_shapes(std::shared_ptr<const CublasLtLibrary> library) {
  return std::make_unique<CublasLtShapes>(std::move(library));
}

}  // namespace fovea::cuda
