// Pooling windows through oneDNN on whatever layout is there; global pooling is our own.
#include <algorithm>

#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/dnnl_shim.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/lowerings.h"
#include "engine/backend/cpu/primitive_step.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

struct Pooling {
  dnnl::algorithm algorithm;
  Window window;
};

template <typename Pool>
Window window_of(const Pool& pool) {
  return {.kernel = {pool.kernel[0], pool.kernel[1]},
          .strides = {pool.strides[0], pool.strides[1]},
          .dilations = {1, 1},
          .before = {pool.pads[0], pool.pads[1]},
          .after = {pool.pads[2], pool.pads[3]}};
}

Pooling pooling_of(const Node& node) {
  if (const auto* max = node.as<MaxPool>()) {
    return {dnnl::algorithm::pooling_max, window_of(*max)};
  }
  const auto& average = *node.as<AveragePool>();
  return {average.count_padding ? dnnl::algorithm::pooling_avg_include_padding
                                : dnnl::algorithm::pooling_avg_exclude_padding,
          window_of(average)};
}

/// How the channels of one picture lie: `block` channels beside each other, then the next pixel.
struct ChannelBlocks {
  std::int64_t channels = 0;
  std::int64_t pixels = 0;
  std::int64_t block = 0;
};

/// out[c] = out[c] + pixel[c], or the larger of the two.
void take_pixel(const float* pixel, float* out, std::int64_t count, PoolKind kind) {
  if (kind == PoolKind::kAverage) {
    for (std::int64_t c = 0; c < count; ++c) out[c] += pixel[c];
  } else {
    for (std::int64_t c = 0; c < count; ++c) out[c] = pixel[c] > out[c] ? pixel[c] : out[c];
  }
}

/// y[c] = the mean or the largest of channel c over all pixels of one picture.
void pool_picture(const float* x, float* y, const ChannelBlocks& shape, PoolKind kind) {
  for (std::int64_t first = 0; first < shape.channels; first += shape.block) {
    const float* pixel = x + first * shape.pixels;
    const std::int64_t count = std::min(shape.block, shape.channels - first);
    float* out = y + first;
    std::copy_n(pixel, count, out);
    for (std::int64_t p = 1; p < shape.pixels; ++p) {
      pixel += shape.block;
      take_pixel(pixel, out, count, kind);
    }
    if (kind == PoolKind::kMax) continue;
    for (std::int64_t c = 0; c < count; ++c) out[c] /= static_cast<float>(shape.pixels);
  }
}

}  // namespace

std::vector<Tactic> lower_pool(const OpSite& site) {
  const ThreadScope threads(site.threads);
  const Pooling pool = pooling_of(site.node);
  const TensorDesc& output = site.node.outputs[0];
  const Layout& input = site.inputs[0];
  Layout layout = input;
  if (input.kind == Layout::Kind::kOpaque) {
    const TensorDesc named{output};
    layout.bytes = 0;
    layout.bytes = memory_desc(named, layout).get_size();
  }
  const auto primitive = pooling(engine(),
                                 pool.algorithm,
                                 memory_desc(site.input(0), input),
                                 memory_desc(output, layout),
                                 pool.window,
                                 base_attributes());

  Tactic tactic;
  tactic.name = cat("onednn:", primitive.impl_info_str());
  tactic.inputs = {input};
  tactic.outputs = {layout};
  tactic.workspace_bytes = primitive.scratchpad_desc().get_size();
  tactic.build = [site, primitive](const BuildArgs&) {
    const ThreadScope scope(site.threads);
    return make_primitive_step({.primitive = dnnl::pooling_forward(primitive),
                                .source = {DNNL_ARG_SRC, primitive.src_desc()},
                                .destination = {DNNL_ARG_DST, primitive.dst_desc()},
                                .weights = {},
                                .scratchpad = primitive.scratchpad_desc()});
  };
  return {tactic};
}

std::vector<Tactic> lower_global_pool(const OpSite& site) {
  const auto& pool = *site.node.as<GlobalPool>();
  const Shape& shape = site.input(0).shape;
  ChannelBlocks blocks{.channels = shape[3], .pixels = shape[1] * shape[2], .block = shape[3]};
  const Layout& input = site.inputs[0];
  if (input.kind == Layout::Kind::kOpaque) {
    if (input.format == "aBcd16b") {
      blocks.block = 16;
    } else if (input.format == "aBcd8b") {
      blocks.block = 8;
    } else if (input.format == "aBcd4b") {
      blocks.block = 4;
    } else {
      blocks.block = 1;  // abcd
    }
  }
  const std::int64_t padded = (blocks.channels + blocks.block - 1) / blocks.block * blocks.block;
  const std::int64_t stride = padded * blocks.pixels;
  Tactic tactic = host_tactic(
      site, "global-pool", [=, batch = shape[0], kind = pool.kind](const StepArgs& args) {
        for (std::int64_t n = 0; n < batch; ++n) {
          pool_picture(floats(args.inputs[0]) + n * stride,
                       floats(args.outputs[0]) + n * blocks.channels,
                       blocks,
                       kind);
        }
      });
  tactic.inputs = {input};
  return {tactic};
}

}  // namespace fovea::cpu
