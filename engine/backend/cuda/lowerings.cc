#include "engine/backend/cuda/lowerings.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <variant>

#include "engine/backend/cuda/expected_time.h"
#include "engine/backend/cuda/passed_over.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

using Table = std::array<Lowering*, std::variant_size_v<Op>>;

Table make_table() {
  Table table{};
  table[kOpIndex<Add>] = lower_add;
  table[kOpIndex<AveragePool>] = lower_pool;
  table[kOpIndex<Cast>] = lower_cast;
  table[kOpIndex<Clip>] = lower_activation;
  table[kOpIndex<Concat>] = lower_concat;
  table[kOpIndex<DequantizeLinear>] = lower_dequantize;
  table[kOpIndex<GlobalPool>] = lower_global_pool;
  table[kOpIndex<Identity>] = lower_view;
  table[kOpIndex<Lrn>] = lower_lrn;
  table[kOpIndex<MaxPool>] = lower_pool;
  table[kOpIndex<NormalizeImage>] = lower_normalize_image;
  table[kOpIndex<Pad>] = lower_pad;
  table[kOpIndex<QuantizeLinear>] = lower_quantize;
  table[kOpIndex<Relu>] = lower_activation;
  table[kOpIndex<Rescale>] = lower_rescale;
  table[kOpIndex<Reshape>] = lower_view;
  table[kOpIndex<ResizeImage>] = lower_resize_image;
  table[kOpIndex<ResizeNormalize>] = lower_resize_normalize;
  table[kOpIndex<Sigmoid>] = lower_activation;
  table[kOpIndex<Slice>] = lower_slice;
  table[kOpIndex<Softmax>] = lower_softmax;
  table[kOpIndex<Tanh>] = lower_activation;
  table[kOpIndex<TopK>] = lower_topk;
  table[kOpIndex<Transpose>] = lower_transpose;
  return table;
}

/// Throws Unsupported where the library can say why it has nothing for the site.
void throw_reason(const OpSite& site, const ConvolutionLibrary& convolutions) {
  const std::string reason = convolutions.why_none(site);
  if (reason.empty()) return;
  throw Unsupported(cat("no Conv2d for node '", site.node.name, "': ", reason));
}

}  // namespace

std::vector<Tactic> lower(const OpSite& site, const Libraries& libraries, int capability) {
  static const Table kTable = make_table();
  if (site.node.as<Conv2d>() != nullptr) {
    const ConvolutionLibrary* convolutions = libraries.convolutions.get();
    const auto save_asked = [&](std::vector<Tactic> of_our_own) {
      return in_place_of(convolutions, asked_sites({&site, 1}).sites, std::move(of_our_own));
    };
    std::vector<Tactic> tactics = save_asked(lower_depthwise(site, capability));
    const Pace pace = tactics.empty() ? Pace::kBest : Pace::kSecond;
    if (convolutions != nullptr && asks_library(site)) {
      for (Tactic& tactic : convolutions->tactics(site)) {
        tactic.expected_us = convolution_us(site, capability, pace, /*tensor_cores=*/true);
        tactics.push_back(std::move(tactic));
      }
    }
    std::ranges::move(save_asked(lower_convolution(site, capability)), std::back_inserter(tactics));
    if (tactics.empty() && convolutions != nullptr) throw_reason(site, *convolutions);
    return tactics;
  }
  if (site.node.as<SeparableConv2d>() != nullptr) {
    return lower_separable(site, libraries, capability);
  }
  if (site.node.as<Dense>() != nullptr) return lower_dense(site, libraries.dense.get());
  Lowering* const lowering = kTable.at(site.node.op.index());
  return lowering == nullptr ? std::vector<Tactic>{} : lowering(site);
}

bool asks_library(const OpSite& site) {
  // No convolution library applies anything to what it reads.
  const auto* conv = site.node.as<Conv2d>();
  return conv != nullptr && conv->input_activation == ActivationKind::kNone;
}

std::string refusal(const OpSite& site, const Libraries& libraries) {
  if (site.node.as<Dense>() != nullptr) {
    return libraries.dense == nullptr || takes_few_rows(site) ? ""
                                                              : libraries.dense->why_none(site);
  }
  if (libraries.convolutions == nullptr || !asks_library(site) || takes_depthwise(site)) return {};
  return libraries.convolutions->why_none(site);
}

}  // namespace fovea::cuda
