#include "engine/backend/cpu/copy.h"

#include <algorithm>
#include <cstring>

#include "engine/backend/cpu/cpu_stream.h"
#include "engine/backend/cpu/formats.h"
#include "engine/backend/cpu/host_step.h"
#include "engine/backend/cpu/lowerings.h"
#include "engine/backend/cpu/rows.h"
#include "engine/backend/evaluate_step.h"

namespace fovea::cpu {

Tactic copy_tactic(const TensorDesc& desc, const Layout& from, const Layout& to) {
  Tactic tactic;
  tactic.name = "copy";
  tactic.inputs = {from};
  tactic.outputs = {to};
  const std::int64_t length = desc.shape.back();
  const Rows rows{.count = num_elements(desc.shape) / length,
                  .length = length,
                  .input_stride = pixel_stride_of(desc, from),
                  .output_stride = pixel_stride_of(desc, to)};
  tactic.build = [rows, bytes = element_size(desc.dtype)](const BuildArgs&) {
    return make_host_step([rows, bytes](const StepArgs& step) {
      copy_rows(rows, bytes, step.inputs[0], step.outputs[0], 1);
    });
  };
  return tactic;
}

std::vector<Tactic> lower_concat(const OpSite& site) {
  const TensorDesc& output = site.node.outputs[0];
  const auto rank = static_cast<std::int64_t>(output.shape.size());
  const bool all_present =
      std::none_of(site.node.inputs.begin(), site.node.inputs.end(), [&](Value v) {
        return site.graph.node(v).as<Constant>() != nullptr;
      });
  if (site.node.as<Concat>()->axis != rank - 1 || !all_present) {
    return {evaluate_tactic(site)};
  }
  Tactic tactic;
  tactic.name = "concat:copies";
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
    tactic.inputs.push_back(channels_last(site.input(i), site.inputs[i]));
  }
  tactic.outputs.resize(1);
  tactic.writes_slices = rank == 4;
  tactic.build = [site](const BuildArgs& args) {
    std::vector<Rows> copies;
    for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
      const std::int64_t length = site.input(i).shape.back();
      copies.push_back({.count = num_elements(site.input(i).shape) / length,
                        .length = length,
                        .input_stride = pixel_stride_of(site.input(i), args.inputs[i]),
                        .output_stride = pixel_stride_of(site.node.outputs[0], args.outputs[0])});
    }
    const std::size_t bytes = element_size(site.node.outputs[0].dtype);
    return make_host_step([copies, bytes, threads = site.threads](const StepArgs& step) {
      std::byte* y = step.outputs[0];
      for (std::size_t i = 0; i < copies.size(); ++i) {
        copy_rows(copies[i], bytes, step.inputs[i], y, threads);
        y += static_cast<std::size_t>(copies[i].length) * bytes;
      }
    });
  };
  return {tactic};
}

std::vector<Tactic> lower_view(const OpSite& site) {
  const std::size_t bytes = byte_size(site.node.outputs[0]);
  Tactic tactic = host_tactic(site, "view", [bytes](const StepArgs& args) {
    if (args.outputs[0] != args.inputs[0]) std::memcpy(args.outputs[0], args.inputs[0], bytes);
  });
  tactic.aliases = {{.input = 0, .output = 0}};
  return {tactic};
}

}  // namespace fovea::cpu
