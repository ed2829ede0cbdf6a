#include "engine/backend/cuda/expected_time.h"

#include <algorithm>

#include "engine/backend/cuda/targets.h"
#include "engine/graph/half.h"
#include "engine/graph/work.h"

namespace fovea::cuda {

namespace {

constexpr double kMicro = 1e6;

/// Of a kernel inside a captured graph, with the gap in front of it.
constexpr double kLaunchUs = 2;

/// A copy reads and writes.
constexpr double kCopyTrips = 2;

/// Least times that a kernel needs. cuDNN reaches half to two thirds of the ceilings on large
/// layers; how far our own kernels are from it was not measured yet, and is taken to be far: where
/// they are better than that, tuning finds it.
double least_times(Pace pace) {
  switch (pace) {
    case Pace::kBest:
      return 1.5;
    case Pace::kSecond:
      return 3;
    case Pace::kPlain:
      return 4;
  }
  return 1;
}

/// Of the newest known device that is no newer than this one: of others only the ratio of bytes to
/// operations counts, which changes little.
const Ceilings& ceilings_of(int capability) {
  const auto all = targets();
  const Target* found = &all.front();
  for (const Target& target : all) {
    if (target.capability <= capability) found = &target;
  }
  return found->ceilings;
}

double flops_per_s(const OpSite& site, const Ceilings& ceilings, bool tensor_cores) {
  if (!tensor_cores) return ceilings.fp32_flops;
  if (is_half(site.input(0).dtype)) return ceilings.half_flops;
  return site.tf32 ? std::max(ceilings.tf32_flops, ceilings.fp32_flops) : ceilings.fp32_flops;
}

/// Bytes that the operation must move; weights in the type of the pictures, as they are packed.
double least_bytes(const OpSite& site) {
  const std::size_t element = element_size(site.input(0).dtype);
  std::size_t bytes = byte_size(site.node.outputs[0]);
  for (std::size_t i = 0; i < site.node.inputs.size(); ++i) {
    bytes += static_cast<std::size_t>(num_elements(site.input(i).shape)) * element;
  }
  return static_cast<double>(bytes);
}

}  // namespace

double convolution_us(const OpSite& site, int capability, Pace pace, bool tensor_cores) {
  const Ceilings& ceilings = ceilings_of(capability);
  const double bytes_s = least_bytes(site) / ceilings.bytes_per_s;
  const double flops_s =
      static_cast<double>(flops(site.graph, site.node)) / flops_per_s(site, ceilings, tensor_cores);
  return kLaunchUs + least_times(pace) * kMicro * std::max(bytes_s, flops_s);
}

double copy_us(std::size_t bytes, int capability) {
  return kLaunchUs + least_times(Pace::kBest) * kMicro * kCopyTrips * static_cast<double>(bytes) /
                         ceilings_of(capability).bytes_per_s;
}

}  // namespace fovea::cuda
