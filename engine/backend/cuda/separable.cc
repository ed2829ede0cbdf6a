// Separable convolutions: by one kernel, and as the two convolutions that they are made of.
#include "kernels/separable.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "engine/backend/bound_step.h"
#include "engine/backend/cuda/convolution_tactic.h"
#include "engine/backend/cuda/expected_time.h"
#include "engine/backend/cuda/lowerings.h"
#include "engine/backend/cuda/passed_over.h"
#include "engine/core/align.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

/// Both convolutions as nodes of a graph of their own, which sites of them refer to.
struct Parts {
  Graph graph;
  std::vector<Value> inputs;  ///< of the separable one
  NodeId depthwise = -1;
  NodeId pointwise = -1;
};

Parts parts_of(const OpSite& site) {
  const auto& op = *site.node.as<SeparableConv2d>();
  Parts parts;
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
    const Constant* constant = site.constant(i);
    const Op leaf = constant == nullptr ? Op(Input{site.input(i)}) : Op(*constant);
    parts.inputs.push_back(parts.graph.add(leaf, {}, cat("input ", i)));
  }
  const auto first = parts.inputs.begin();
  const auto behind = first + static_cast<std::ptrdiff_t>(op.depthwise_inputs());
  const Value between =
      parts.graph.add(op.depthwise, {first, behind}, cat(site.node.name, "/depthwise"));
  std::vector<Value> inputs{between};
  inputs.insert(inputs.end(), behind, parts.inputs.end());
  parts.depthwise = between.node;
  parts.pointwise = parts.graph.add(op.pointwise, std::move(inputs), site.node.name).node;
  return parts;
}

/// Of what lies between the parts, as a buffer.
std::size_t bytes_between(const Parts& parts) {
  return align_up(byte_size(parts.graph.node(parts.depthwise).outputs[0]), kBufferAlignment);
}

/// Of a part of `whole`, whose result is wanted anywhere.
OpSite site_of(const Parts& parts, NodeId id, std::vector<Layout> inputs, const OpSite& whole) {
  return {.graph = parts.graph,
          .node = parts.graph.node(id),
          .inputs = std::move(inputs),
          .threads = whole.threads,
          .exact_convolutions = whole.exact_convolutions,
          .tf32 = whole.tf32};
}

/// The places of the separable convolution's inputs among those of its parts: `inputs` has one
/// element for each, and both parts have one for what lies between them.
template <typename T>
struct Divided {
  Divided(std::span<const T> inputs, std::size_t depthwise_inputs, const T& between)
      : depthwise(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(depthwise_inputs)),
        pointwise{between} {
    std::ranges::copy(inputs.subspan(depthwise_inputs), std::back_inserter(pointwise));
  }

  std::vector<T> depthwise;
  std::vector<T> pointwise;
};

/// The parts with a site for each, whose inputs lie where the whole one's do.
struct PartSites {
  std::shared_ptr<const Parts> parts;
  OpSite depthwise;
  OpSite pointwise;
};

PartSites divided(const OpSite& site) {
  auto parts = std::make_shared<const Parts>(parts_of(site));
  Divided<Layout> layouts(
      site.inputs, site.node.as<SeparableConv2d>()->depthwise_inputs(), Layout{});
  OpSite depthwise = site_of(*parts, parts->depthwise, std::move(layouts.depthwise), site);
  OpSite pointwise = site_of(*parts, parts->pointwise, std::move(layouts.pointwise), site);
  pointwise.wanted = site.wanted;
  return {std::move(parts), std::move(depthwise), std::move(pointwise)};
}

/// Those that a library is asked about. Of the depthwise one no more is taken than the best guess,
/// which is our own where there is one.
std::vector<OpSite> asked_parts(const PartSites& sites) {
  std::vector<OpSite> asked;
  if (asks_library(sites.depthwise) && !takes_depthwise(sites.depthwise)) {
    asked.push_back(sites.depthwise);
  }
  if (asks_library(sites.pointwise)) asked.push_back(sites.pointwise);
  return asked;
}

/// One step behind the other; what lies between them begins the workspace.
class TwoSteps final : public Step {
 public:
  TwoSteps(std::unique_ptr<Step> depthwise,
           std::unique_ptr<Step> pointwise,
           std::size_t depthwise_inputs,
           std::size_t between_bytes)
      : depthwise_(std::move(depthwise)),
        pointwise_(std::move(pointwise)),
        depthwise_inputs_(depthwise_inputs),
        between_bytes_(between_bytes) {}

  [[nodiscard]] std::unique_ptr<StepState> bind(const StepArgs& args,
                                                Stream& stream) const override {
    std::byte* const between = args.workspace;
    std::byte* const workspace = args.workspace + between_bytes_;
    Divided<const std::byte*> inputs(args.inputs, depthwise_inputs_, between);
    std::vector<std::byte*> outputs(args.outputs.begin(), args.outputs.end());
    return std::make_unique<Bound>(
        BoundStep(*depthwise_, std::move(inputs.depthwise), {between}, workspace, stream),
        BoundStep(*pointwise_, std::move(inputs.pointwise), std::move(outputs), workspace, stream));
  }

  void enqueue(const StepArgs& args, Stream& stream) const override {
    const auto& bound = dynamic_cast<const Bound&>(*args.state);
    bound.depthwise.enqueue(stream);
    bound.pointwise.enqueue(stream);
  }

  void save(SavedState& state) const override {
    depthwise_->save(state);
    pointwise_->save(state);
  }

 private:
  struct Bound final : StepState {
    Bound(BoundStep first, BoundStep second)
        : depthwise(std::move(first)), pointwise(std::move(second)) {}

    BoundStep depthwise;
    BoundStep pointwise;
  };

  std::unique_ptr<Step> depthwise_;
  std::unique_ptr<Step> pointwise_;
  std::size_t depthwise_inputs_;
  std::size_t between_bytes_;
};

/// Both tactics, one behind the other. They refer to `parts` until they are built, and keep it.
Tactic in_two_steps(const OpSite& site,
                    const std::shared_ptr<const Parts>& parts,
                    const Tactic& depthwise,
                    const Tactic& pointwise) {
  const std::size_t first = site.node.as<SeparableConv2d>()->depthwise_inputs();
  Tactic both;
  both.name = cat(depthwise.name, '+', pointwise.name);
  both.inputs = depthwise.inputs;
  both.inputs.insert(both.inputs.end(), pointwise.inputs.begin() + 1, pointwise.inputs.end());
  both.outputs = pointwise.outputs;
  both.workspace_bytes =
      bytes_between(*parts) + std::max(depthwise.workspace_bytes, pointwise.workspace_bytes);
  for (const Alias& alias : pointwise.aliases) {
    if (alias.input > 0) both.aliases.push_back({alias.input - 1 + first, alias.output});
  }
  both.writes_slices = pointwise.writes_slices;
  if (depthwise.expected_us > 0 && pointwise.expected_us > 0) {
    both.expected_us = depthwise.expected_us + pointwise.expected_us;
  }
  both.build = [=](const BuildArgs& args) -> std::unique_ptr<Step> {
    const Layout dense;
    const Divided<Layout> inputs(args.inputs, first, dense);
    return std::make_unique<TwoSteps>(
        depthwise.build({inputs.depthwise, {&dense, 1}, args.weights}),
        pointwise.build({inputs.pointwise, args.outputs, args.weights}),
        first,
        bytes_between(*parts));
  };
  return both;
}

/// The best guess for the depthwise part with everything that there is for the pointwise one.
std::vector<Tactic> lower_in_two_steps(const OpSite& site,
                                       const std::shared_ptr<const Parts>& parts,
                                       const OpSite& depthwise,
                                       const OpSite& pointwise,
                                       const Libraries& libraries,
                                       int capability) {
  std::vector<Tactic> first = lower_depthwise(depthwise, capability);
  if (first.empty()) first = lower(depthwise, libraries, capability);
  const auto writes_dense = [](const Tactic& tactic) { return tactic.outputs[0] == Layout{}; };
  const auto best = std::ranges::find_if(first, writes_dense);
  if (best == first.end()) return {};
  std::vector<Tactic> tactics;
  for (const Tactic& second : lower(pointwise, libraries, capability)) {
    if (second.inputs[0] == Layout{}) {
      tactics.push_back(in_two_steps(site, parts, *best, second));
    }
  }
  return tactics;
}

/// Everything but addresses and strides; sizes fit int.
kernels::SeparableArgs described(const OpSite& depthwise, const OpSite& pointwise) {
  kernels::SeparableArgs args{described_convolution<kernels::DepthwiseArgs>(depthwise),
                              described_convolution<kernels::ConvolutionArgs>(pointwise)};
  args.pointwise.filters = static_cast<int>(pointwise.node.outputs[0].shape[3]);
  return args;
}

Tactic fused_tactic(const OpSite& site,
                    const OpSite& depthwise,
                    const OpSite& pointwise,
                    const kernels::SeparableArgs& described,
                    kernels::SeparableTile tile) {
  const auto& op = *site.node.as<SeparableConv2d>();
  const DType type = site.input(0).dtype;
  const std::size_t first = op.depthwise_inputs();
  const std::size_t residual = op.pointwise.residual ? site.node.inputs.size() - 1 : 0;
  const auto make = [=,
                     x = site.input(0),
                     y = site.node.outputs[0],
                     biases = std::pair(op.depthwise.bias, op.pointwise.bias),
                     taps = *depthwise.constant(1),
                     filters = *pointwise.constant(1)](const BuildArgs& args) -> Launch {
    kernels::SeparableArgs fixed = described;
    fixed.depthwise.x_stride = pixel_stride(x, args.inputs[0]);
    if (residual != 0) fixed.pointwise.residual_stride = pixel_stride(y, args.inputs[residual]);
    fixed.pointwise.y_stride = pixel_stride(y, args.outputs[0]);
    const auto packed_taps = pack_taps(taps, type, args.weights);
    const auto packed_filters = pack_filters(filters, type, args.weights);
    return [=](const Operands& operands, cudaStream_t stream) {
      kernels::SeparableArgs placed = fixed;
      placed.depthwise.x = operands.inputs[0];
      placed.depthwise.weights = packed_taps.get();
      placed.depthwise.bias = biases.first ? operands.input(2) : nullptr;
      placed.pointwise.weights = packed_filters.get();
      placed.pointwise.bias = biases.second ? operands.input(first + 1) : nullptr;
      placed.pointwise.residual = residual != 0 ? operands.inputs[residual] : nullptr;
      placed.pointwise.y = operands.outputs[0];
      return kernels::separable(placed, tile, stream);
    };
  };
  ReadTypes types{type, std::nullopt};
  if (op.depthwise.bias) types.emplace_back(DType::kFloat32);
  types.emplace_back(std::nullopt);
  if (op.pointwise.bias) types.emplace_back(DType::kFloat32);
  if (residual != 0) types.emplace_back(type);
  Tactic tactic =
      kernel_tactic(site, cat("separable:", kernels::name_of(tile)), std::move(types), make);
  move_in_slices(tactic, site, residual);
  return tactic;
}

/// Whether the kernel reads x as it lies: whole pixels of 16 bytes, at such addresses.
bool lies_in_vectors(const OpSite& site) {
  const auto bytes = static_cast<std::int64_t>(element_size(site.input(0).dtype));
  const Layout x = strided_or_dense(site.inputs[0]);
  return channels_of(site.input(0)) * bytes % 16 == 0 &&
         pixel_stride(site.input(0), x) * bytes % 16 == 0 && x.channel_offset * bytes % 16 == 0;
}

std::vector<Tactic> lower_fused(const OpSite& site,
                                const OpSite& depthwise,
                                const OpSite& pointwise,
                                int capability) {
  if (!has_readable_parameters(depthwise) || !has_readable_parameters(pointwise) ||
      !kernels_count(depthwise) || !kernels_count(pointwise) || !lies_in_vectors(site)) {
    return {};
  }
  const kernels::SeparableArgs args = described(depthwise, pointwise);
  const bool may_use_tensor_cores = multiplies_by_tensor_cores(site, capability);
  std::vector<Tactic> tactics;
  for (const kernels::SeparableTile tile : kernels::separable_tiles(args)) {
    if (kernels::uses_tensor_cores(tile) && !may_use_tensor_cores) continue;
    Tactic& tactic = tactics.emplace_back(fused_tactic(site, depthwise, pointwise, args, tile));
    tactic.expected_us =
        convolution_us(depthwise, capability, Pace::kBest, /*tensor_cores=*/false) +
        convolution_us(pointwise, capability, Pace::kPlain, kernels::uses_tensor_cores(tile));
  }
  return tactics;
}

}  // namespace

ConvolutionSites asked_sites(std::span<const OpSite> sites) {
  ConvolutionSites asked;
  for (const OpSite& site : sites) {
    if (site.node.as<SeparableConv2d>() == nullptr) {
      if (asks_library(site)) asked.sites.push_back(site);
      continue;
    }
    const PartSites parts = divided(site);
    asked.graphs.push_back(parts.parts);
    std::ranges::copy(asked_parts(parts), std::back_inserter(asked.sites));
  }
  return asked;
}

std::vector<Tactic> lower_separable(const OpSite& site,
                                    const Libraries& libraries,
                                    int capability) {
  const PartSites parts = divided(site);
  const auto& [graph, depthwise, pointwise] = parts;
  std::vector<Tactic> tactics =
      lower_in_two_steps(site, graph, depthwise, pointwise, libraries, capability);
  std::ranges::move(in_place_of(libraries.convolutions.get(),
                                asked_parts(parts),
                                lower_fused(site, depthwise, pointwise, capability)),
                    std::back_inserter(tactics));
  return tactics;
}

}  // namespace fovea::cuda
