// Pooling by our own loops where channels come last, through oneDNN on its own layouts.
#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/dnnl_shim.h"
#include "engine/backend/cpu/epilogue.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/lowerings.h"
#include "engine/backend/cpu/pool_window.h"
#include "engine/backend/cpu/primitive_step.h"
#include "engine/core/require.h"

namespace fovea::cpu {

namespace {

struct Pooling {
  dnnl::algorithm algorithm;
  Window window;
  Activation activation;
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
    return {dnnl::algorithm::pooling_max, window_of(*max), {}};
  }
  const auto& average = *node.as<AveragePool>();
  return {average.count_padding ? dnnl::algorithm::pooling_avg_include_padding
                                : dnnl::algorithm::pooling_avg_exclude_padding,
          window_of(average),
          average.activation};
}

/// The sizes for an input in this layout, with strides of dense outputs.
PoolWindow describe(const OpSite& site, const Layout& layout) {
  const Shape& x = site.input(0).shape;
  PoolWindow window{.batch = x[0],
                    .channels = x[3],
                    .rows = {},
                    .columns = {},
                    .input_stride = pixel_stride_of(site.input(0), layout),
                    .output_stride = x[3]};
  if (const auto* global = site.node.as<GlobalPool>()) {
    window.rows = {.inputs = x[1], .kernel = x[1]};
    window.columns = {.inputs = x[2], .kernel = x[2]};
    window.average = global->kind == PoolKind::kAverage;
    return window;
  }
  const Shape& y = site.node.outputs[0].shape;
  const auto set_axes = [&](const auto& op) {
    const auto axis = [&](std::size_t i) {
      return Axis{.inputs = x[i + 1],
                  .outputs = y[i + 1],
                  .kernel = op.kernel.at(i),
                  .stride = op.strides.at(i),
                  .before = op.pads.at(i)};
    };
    window.rows = axis(0);
    window.columns = axis(1);
  };
  if (const auto* max = site.node.as<MaxPool>()) {
    set_axes(*max);
    return window;
  }
  const auto& average = *site.node.as<AveragePool>();
  set_axes(average);
  window.average = true;
  window.count_padding = average.count_padding;
  if (const auto bounds = bounds_of(average.activation)) {
    window.low = bounds->first;
    window.high = bounds->second;
  }
  return window;
}

/// Our own loops, which read and write slices.
Tactic window_tactic(const OpSite& site, const Layout& layout) {
  Tactic tactic;
  tactic.name = "pool:window";
  tactic.inputs = {layout};
  tactic.outputs.resize(1);
  tactic.writes_slices = site.node.as<GlobalPool>() == nullptr;
  tactic.build = [site, described = describe(site, layout)](const BuildArgs& args) {
    PoolWindow window = described;
    window.output_stride = pixel_stride_of(site.node.outputs[0], args.outputs[0]);
    return make_host_step([window, threads = site.threads](const StepArgs& step) {
      pool(window, floats(step.inputs[0]), floats(step.outputs[0]), threads);
    });
  };
  return tactic;
}

}  // namespace

std::vector<Tactic> lower_pool(const OpSite& site) {
  const Pooling pool = pooling_of(site.node);
  const bool own = site.input(0).dtype == DType::kFloat32 && bounds_of(pool.activation);
  if (own && pixel_stride(site.input(0), site.inputs[0])) {
    return {window_tactic(site, site.inputs[0])};
  }
  const ThreadScope threads(site.threads);
  const TensorDesc& output = site.node.outputs[0];
  const Layout input = unsliced(site.inputs[0]);
  const Layout layout = resized(input, output);
  dnnl::post_ops post_ops;
  append_activation(post_ops, pool.activation);
  dnnl::primitive_attr attributes = base_attributes();
  attributes.set_post_ops(post_ops);
  const auto primitive = pooling(engine(),
                                 pool.algorithm,
                                 memory_desc(site.input(0), input),
                                 memory_desc(output, layout),
                                 pool.window,
                                 attributes);

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
  return {window_tactic(site, channels_last(site.input(0), site.inputs[0]))};
}

}  // namespace fovea::cpu
