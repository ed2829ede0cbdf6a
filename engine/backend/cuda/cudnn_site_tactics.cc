#include "engine/backend/cuda/cudnn_site_tactics.h"

#include <algorithm>
#include <array>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "engine/backend/cuda/cudnn_slice_check.h"
#include "engine/backend/cuda/cudnn_step.h"
#include "engine/backend/cuda/packed_constant.h"
#include "engine/core/align.h"
#include "engine/core/joined.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

/// An engine for one spelling of the convolution, with its output where it is wanted.
struct Offer {
  CudnnConvolution convolution;
  std::optional<CudnnCandidate> candidate;  ///< nothing: asked for by its rank when it is built

  /// Place in CudnnCandidates::best, from 1, that the tactic is named by; 0: it is named by the
  /// engine.
  std::size_t rank = 0;
};

/// Float32 biases that are offered beside those of the output's type. Engines for them compile
/// their kernels, need no workspace, and it takes the heuristics 0.15 s to name three: too long for
/// every convolution of a network where nothing is measured.
constexpr std::size_t kRanked = 3;

/// "cudnn:bo:eng41:k2.3", "cudnn:bf:best-1".
std::string name_of(const Offer& offer) {
  const std::string engine = offer.rank == 0 && offer.candidate ? to_string(offer.candidate->engine)
                                                                : cat("best-", offer.rank);
  switch (offer.convolution.bias) {
    case CudnnBias::kNone:
      break;
    case CudnnBias::kOutputType:
      return cat("cudnn:bo:", engine);
    case CudnnBias::kFloat32:
      return cat("cudnn:bf:", engine);
  }
  return cat("cudnn:", engine);
}

/// Of the site's output, dense.
std::size_t output_bytes(const CudnnConvolution& conv) {
  return static_cast<std::size_t>(conv.n * conv.out_h * conv.out_w * conv.out_c) *
         element_size(conv.dtype);
}

/// That the tactic of an offer says: behind the engine's own there is a place for a result that is
/// copied, where the output is wanted as a slice.
std::size_t workspace_bytes(const Offer& offer, const Layout& output) {
  const std::size_t own = offer.candidate ? offer.candidate->workspace_bytes : 0;
  if (output.kind != Layout::Kind::kSliced) return own;
  return align_up(own, kBufferAlignment) + output_bytes(offer.convolution);
}

/// Of a plan for a device that is not here.
class AbsentStep final : public Step {
 public:
  [[nodiscard]] std::unique_ptr<StepState> bind(const StepArgs& /*args*/,
                                                Stream& /*stream*/) const override {
    throw DeviceError("cuDNN: this plan is for a GPU that is not here", ErrorCode::kDeviceNone);
  }

  void enqueue(const StepArgs& /*args*/, Stream& /*stream*/) const override {
    throw DeviceError("cuDNN: this plan is for a GPU that is not here", ErrorCode::kDeviceNone);
  }
};

/// The offers of one site, which its tactics share. With the last of them go the plans that were
/// made for steps and that no step has. Thread-safe.
class SiteOffers {
 public:
  SiteOffers(const OpSite& site, std::shared_ptr<CudnnPlans> plans, bool is_here)
      : weights_(site.constant(1)),
        bias_(site.node.as<Conv2d>()->bias ? site.constant(2) : nullptr),
        plans_(std::move(plans)),
        is_here_(is_here) {}

  SiteOffers(const SiteOffers&) = delete;
  SiteOffers& operator=(const SiteOffers&) = delete;

  ~SiteOffers() {
    for (const auto& [convolution, engine] : built_) plans_->drop_unused(convolution, engine);
  }

  void set(std::vector<Offer> offers) { offers_ = std::move(offers); }

  [[nodiscard]] const std::vector<Offer>& offers() const { return offers_; }

  [[nodiscard]] bool is_buildable(const Offer& offer) const {
    return is_here_ || (offer.candidate && !offer.candidate->compiles_kernels);
  }

  /// workspace_bytes   that the tactic has said; what lies behind the engine's own is for a copy
  [[nodiscard]] std::unique_ptr<Step> build(std::size_t index,
                                            std::size_t workspace_bytes,
                                            const BuildArgs& args) {
    const Layout& output = args.outputs[0];
    build_all_for_the_second(index, output);
    const Offer& offer = offers_.at(index);
    if (!is_here_) {
      if (offer.candidate && is_buildable(offer)) {
        (void)plans_->plan(offer.convolution, offer.candidate->engine);
      }
      return std::make_unique<AbsentStep>();
    }
    CudnnKept kept{.asked = offer.convolution,
                   .engine = {.candidate = candidate_of(offer), .rank = offer.rank},
                   .plans = {}};
    CudnnStepParts parts{
        .library = plans_->library(),
        .plan = slice_plan(kept, output, workspace_bytes),
        .convolution = with_output(offer.convolution, output),
        .weights = packed_weights(*weights_, offer.convolution.dtype, args.weights),
        .bias = bias(offer, args.weights),
        .copy = std::nullopt,
        .kept = {}};
    std::size_t own = workspace_bytes;
    if (parts.plan == nullptr) {
      if (output.kind == Layout::Kind::kSliced) {
        own = workspace_bytes - output_bytes(offer.convolution);
        parts.copy = {.workspace_offset = own, .pixel_stride = output.pixel_stride};
      }
      parts.convolution = with_output(offer.convolution, Layout{});
      parts.plan = plan(parts.convolution, kept.engine.candidate.engine, own);
    }
    if (parts.plan->workspace_bytes() > own) {
      throw DeviceError(cat("cuDNN: the plan of ",
                            name_of(offer),
                            ": ",
                            too_large(parts.plan->workspace_bytes(), own)));
    }
    kept.plans.emplace_back(parts.convolution, parts.plan);
    parts.kept = std::move(kept);
    return make_cudnn_step(std::move(parts));
  }

 private:
  /// The engine that its rank stands for where it has none.
  [[nodiscard]] CudnnCandidate candidate_of(const Offer& offer) const {
    if (offer.candidate) return *offer.candidate;
    const auto candidates = plans_->candidates(offer.convolution);
    if (offer.rank > candidates->best.size()) {
      throw DeviceError(cat("cuDNN: for ",
                            name_of(offer),
                            " it has only ",
                            candidates->best.size(),
                            " engines: ",
                            joined(candidates->refusals, "; ")));
    }
    return candidates->best[offer.rank - 1];
  }

  /// One plan may be all that is wanted; two mean that all are to be measured.
  void build_all_for_the_second(std::size_t index, const Layout& output) {
    {
      const std::scoped_lock lock(mutex_);
      if (!first_) first_ = index;
      if (*first_ == index || all_) return;
      all_ = true;
    }
    std::vector<std::pair<CudnnConvolution, CudnnEngine>> wanted;
    for (const Offer& offer : offers_) {
      if (!is_buildable(offer)) continue;
      try {
        wanted.emplace_back(with_output(offer.convolution, output), candidate_of(offer).engine);
      } catch (const DeviceError&) {
        continue;  // who builds it is told
      }
    }
    for (const auto& [convolution, engine] : wanted) note(convolution, engine);
    plans_->build(wanted);
  }

  [[nodiscard]] std::shared_ptr<const CudnnPlan> plan(const CudnnConvolution& convolution,
                                                      const CudnnEngine& engine,
                                                      std::size_t most_workspace_bytes) {
    note(convolution, engine);
    return plans_->plan(convolution, engine, most_workspace_bytes);
  }

  /// The plan is for a step of this site. The one that its tactics were judged by stays: equal
  /// sites are judged by it too.
  void note(const CudnnConvolution& convolution, const CudnnEngine& engine) {
    const Offer& first = offers_.front();
    if (first.candidate && first.candidate->engine == engine && first.convolution == convolution) {
      return;
    }
    const std::scoped_lock lock(mutex_);
    built_.emplace(convolution, engine);
  }

  /// A plan that writes to the slice; null where the output is none, or it cannot be trusted to.
  [[nodiscard]] std::shared_ptr<const CudnnPlan> slice_plan(CudnnKept& kept,
                                                            const Layout& output,
                                                            std::size_t workspace_bytes) {
    if (output.kind != Layout::Kind::kSliced) return nullptr;
    const CudnnConvolution sliced = with_output(kept.asked, output);
    auto plan = trusted_plan(sliced, kept.engine.candidate.engine, output, workspace_bytes);
    kept.slice.emplace(sliced, plan != nullptr);
    return plan;
  }

  [[nodiscard]] std::shared_ptr<const CudnnPlan> trusted_plan(const CudnnConvolution& sliced,
                                                              const CudnnEngine& engine,
                                                              const Layout& output,
                                                              std::size_t workspace_bytes) {
    const std::optional<bool> saved = plans_->saved().writes_slice(sliced, engine);
    if (saved == false) return nullptr;
    std::shared_ptr<const CudnnPlan> plan;
    try {
      plan = this->plan(sliced, engine, workspace_bytes);
    } catch (const CudnnError& error) {
      if (error.code() == ErrorCode::kDeviceOutOfMemory) throw;
      return nullptr;  // the engine takes dense outputs only
    }
    if (plan->workspace_bytes() > workspace_bytes) return nullptr;
    const auto check = [&] {
      return keeps_other_channels(plans_->library(), *plan, sliced, output);
    };
    return saved || plans_->is_trusted(sliced, engine, check) ? plan : nullptr;
  }

  [[nodiscard]] std::shared_ptr<const std::byte> bias(const Offer& offer,
                                                      WeightStore& weights) const {
    if (bias_ == nullptr) return nullptr;
    const bool is_float = offer.convolution.bias == CudnnBias::kFloat32;
    return packed_constant(*bias_, is_float ? DType::kFloat32 : offer.convolution.dtype, weights);
  }

  const Constant* weights_;
  const Constant* bias_;  ///< null: none
  std::shared_ptr<CudnnPlans> plans_;
  bool is_here_;
  std::vector<Offer> offers_;
  std::mutex mutex_;
  std::set<std::pair<CudnnConvolution, CudnnEngine>> built_;
  std::optional<std::size_t> first_;  ///< that was built
  bool all_ = false;                  ///< were built, or are being
};

/// The engines that were saved for the layouts, in any spelling.
std::vector<Offer> saved_offers(const OpSite& site,
                                std::span<const Layout> inputs,
                                const Layout& output,
                                const CudnnPlans& plans) {
  std::vector<Offer> offers;
  for (const CudnnBias bias : bias_types(site)) {
    const auto convolution = describe(site, inputs, output, bias);
    if (!convolution) return {};
    for (const auto& [candidate, rank] : plans.saved().engines(*convolution)) {
      offers.push_back({*convolution, candidate, rank});
    }
  }
  return offers;
}

/// Why cuDNN refuses the site, or an empty text, where it was saved that it does not compute it.
const std::string* passed_over(const OpSite& site, const CudnnPlans& plans) {
  const auto convolution = describe_dense(site);
  return convolution ? plans.saved().passed_over(*convolution) : nullptr;
}

/// All candidates for the layouts: of every spelling those of modes A and B, then the fallbacks.
/// Where a bias of the output's type has some, those of a float32 one are told by their rank.
std::vector<Offer> find_offers(const OpSite& site,
                               std::span<const Layout> inputs,
                               const Layout& output,
                               CudnnPlans& plans,
                               std::vector<std::string>& refusals) {
  std::vector<Offer> offers;
  std::vector<Offer> fallback;
  for (const CudnnBias bias : bias_types(site)) {
    const auto convolution = describe(site, inputs, output, bias);
    if (!convolution) {
      refusals.emplace_back(kNotDescribed);
      return {};
    }
    if (bias == CudnnBias::kFloat32 && !offers.empty()) {
      for (std::size_t rank = 1; rank <= kRanked; ++rank)
        offers.push_back({*convolution, std::nullopt, rank});
      continue;
    }
    const auto candidates = plans.candidates(*convolution);
    for (const auto& best : candidates->best) offers.push_back({*convolution, best, 0});
    for (const auto& last : candidates->fallback) fallback.push_back({*convolution, last, 0});
    refusals.insert(refusals.end(), candidates->refusals.begin(), candidates->refusals.end());
  }
  std::ranges::move(fallback, std::back_inserter(offers));
  return offers;
}

/// Makes the plan that the offer's step will execute, as far as that can be told. Why it cannot be
/// executed; empty where it can. Throws CudnnError where the engine refuses.
std::string try_plan(const Offer& offer,
                     const CudnnEngine& engine,
                     const Layout& output,
                     CudnnPlans& plans) {
  CudnnConvolution convolution = offer.convolution;
  std::size_t most = workspace_bytes(offer, output);
  if (output.kind == Layout::Kind::kSliced &&
      plans.saved().writes_slice(convolution, engine) == false) {
    convolution = with_output(convolution, Layout{});
    most -= output_bytes(convolution);
  }
  const std::size_t needed = plans.plan(convolution, engine, most)->workspace_bytes();
  return needed > most ? too_large(needed, most) : "";
}

/// Drops those in front of the first one whose plan can be built and has the workspace it needs.
void drop_refused(std::vector<Offer>& offers,
                  const Layout& output,
                  const SiteOffers& site,
                  CudnnPlans& plans,
                  std::vector<std::string>& refusals) {
  const auto first = std::ranges::find_if(offers, [&](const Offer& offer) {
    if (!site.is_buildable(offer) || !offer.candidate) return true;
    std::string refusal;
    try {
      refusal = try_plan(offer, offer.candidate->engine, output, plans);
    } catch (const CudnnError& error) {
      if (error.code() == ErrorCode::kDeviceOutOfMemory) throw;
      refusal = error.what();
    }
    if (refusal.empty()) return true;
    refusals.push_back(cat(name_of(offer), ": ", refusal));
    return false;
  });
  offers.erase(offers.begin(), first);
}

std::vector<Tactic> tactics_of(std::span<const Layout> inputs,
                               const Layout& output,
                               const std::shared_ptr<SiteOffers>& offers) {
  std::vector<Tactic> tactics;
  for (std::size_t i = 0; i < offers->offers().size(); ++i) {
    const Offer& offer = offers->offers()[i];
    Tactic tactic = convolution_tactic(inputs, name_of(offer));
    tactic.workspace_bytes = workspace_bytes(offer, output);
    tactic.writes_slices = output.kind == Layout::Kind::kSliced;
    tactic.build = [offers, i, bytes = tactic.workspace_bytes](const BuildArgs& args) {
      return offers->build(i, bytes, args);
    };
    tactics.push_back(std::move(tactic));
  }
  return tactics;
}

}  // namespace

Tactic convolution_tactic(std::span<const Layout> inputs, std::string name) {
  Tactic tactic;
  tactic.name = std::move(name);
  tactic.inputs.assign(inputs.begin(), inputs.end());
  tactic.outputs.resize(1);
  return tactic;
}

SiteTactics site_tactics(const OpSite& site,
                         const std::shared_ptr<CudnnPlans>& plans,
                         bool is_here) {
  SiteTactics found;
  const std::vector<Layout> dense(site.inputs.size());
  using Attempt = std::pair<std::vector<Layout>, Layout>;
  const std::array attempts{Attempt{site.inputs, wanted_output(site)},
                            Attempt{site.inputs, Layout{}},
                            Attempt{dense, Layout{}}};
  const auto offer = [&](const Attempt& attempt, std::vector<Offer> offers) {
    const auto shared = std::make_shared<SiteOffers>(site, plans, is_here);
    drop_refused(offers, attempt.second, *shared, *plans, found.refusals);
    shared->set(std::move(offers));
    found.tactics = tactics_of(attempt.first, attempt.second, shared);
    return !found.tactics.empty();
  };
  bool is_saved = false;
  for (const Attempt& attempt : attempts) {
    auto offers = saved_offers(site, attempt.first, attempt.second, *plans);
    is_saved = is_saved || !offers.empty();
    if (offer(attempt, std::move(offers))) return found;
  }
  // Where equal convolutions are computed by both, cuDNN's is offered to all.
  if (const std::string* refusal = is_saved ? nullptr : passed_over(site, *plans)) {
    if (!refusal->empty()) found.refusals.push_back(*refusal);
    return found;
  }
  for (const Attempt& attempt : attempts) {
    if (offer(attempt, find_offers(site, attempt.first, attempt.second, *plans, found.refusals))) {
      return found;
    }
  }
  return found;
}

void prepare_sites(std::span<const OpSite> sites,
                   const std::shared_ptr<CudnnPlans>& plans,
                   bool is_here) {
  std::set<CudnnConvolution> known;
  std::vector<const OpSite*> distinct;
  for (const OpSite& site : sites) {
    const auto convolution =
        describe(site, site.inputs, wanted_output(site), bias_types(site).front());
    if (convolution && known.insert(*convolution).second) distinct.push_back(&site);
  }
  plans->in_threads(distinct.size(), [&](std::size_t i) {
    try {
      (void)site_tactics(*distinct[i], plans, is_here);
    } catch (const std::exception&) {
      return;  // whoever asks for the tactics is told
    }
  });
}

}  // namespace fovea::cuda
