#include "engine/backend/cpu/direct.h"

#include <string>

#include "engine/backend/cpu/direct_run.h"
#include "engine/backend/cpu/library.h"
#include "engine/backend/cpu/own_convolution.h"
#include "engine/backend/cpu/splits.h"

namespace fovea::cpu {

namespace {

using direct::Convolution;
using direct::Schedule;

/// Whether the tactics compute this convolution at all.
bool applies(const OpSite& site, const Conv2d& conv) {
  const Shape& ohwi = site.input(1).shape;
  return fills_registers(site, conv) && ohwi[1] * ohwi[2] <= direct::kMostTaps &&
         bounds_of(conv.activation);
}

/// The sizes, with strides of dense outputs.
Convolution describe(const OpSite& site, const Conv2d& conv, const Layout& input) {
  const Shape& x = site.input(0).shape;
  const Shape& y = site.node.outputs[0].shape;
  return {.batch = x[0],
          .channels = x[3] / conv.groups,
          .filters = y[3] / conv.groups,
          .rows = axis_of(site, conv, 0),
          .columns = axis_of(site, conv, 1),
          .input_stride = pixel_stride_of(site.input(0), input),
          .output_stride = y[3],
          .residual_stride = y[3],
          .input_relu = conv.input_activation == ActivationKind::kRelu};
}

}  // namespace

std::vector<Tactic> direct_tactics(const OpSite& site) {
  const auto& conv = *site.node.as<Conv2d>();
  if (!has_avx512() || !applies(site, conv)) return {};
  const Convolution shape = describe(site, conv, channels_last(site.input(0), site.inputs[0]));
  const std::string name = shape.pointwise() ? "direct:gemm" : "direct:window";
  std::vector<Tactic> tactics;
  for (const Schedule& schedule : direct::make_schedules(shape, site.threads)) {
    tactics.push_back(convolution_tactic(
        site, conv, with_split(name, schedule, site.threads), "direct 32", shape, schedule));
  }
  return tactics;
}

bool own_kernels() {
  return has_avx512();
}

}  // namespace fovea::cpu
