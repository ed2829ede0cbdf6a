#include "engine/backend/cuda/targets.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/core/joined.h"
#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea::cuda {

namespace {

constexpr double kTera = 1e12;
constexpr double kGiga = 1e9;
constexpr std::size_t kGB = 1'000'000'000;

Ceilings ceilings(const char* device, double gb_per_s, double fp32, double tf32, double half) {
  return {.device = device,
          .bytes_per_s = gb_per_s * kGiga,
          .fp32_flops = fp32 * kTera,
          .tf32_flops = tf32 * kTera,
          .half_flops = half * kTera};
}

}  // namespace

std::span<const Target> targets() {
  // NVIDIA's data sheets of these products; rates of tensor cores without sparsity.
  static const std::array kTargets{
      Target{"sm_75", 75, ceilings("T4", 320, 8.1, 0, 65), 16 * kGB, {128, 0, 1024}},
      Target{"sm_80",
             80,
             ceilings("A100 SXM 40 GB", 1555, 19.5, 156, 312),
             40 * kGB,
             {128, 1024, 2048}},
      Target{"sm_86", 86, ceilings("A10", 600, 31.2, 62.5, 125), 24 * kGB, {256, 512, 1024}},
      Target{"sm_89", 89, ceilings("L40S", 864, 91.6, 183, 362), 48 * kGB, {256, 512, 1024}},
      Target{
          "sm_90", 90, ceilings("H100 SXM", 3350, 66.9, 494.7, 989.4), 80 * kGB, {256, 2048, 4096}},
  };
  return kTargets;
}

std::optional<Ceilings> ceilings_of(const DeviceFacts& device) {
  constexpr double kTransfersPerClock = 2;
  constexpr double kBitsPerByte = 8;
  const auto known = std::ranges::find(targets(), device.capability, &Target::capability);
  if (known == targets().end() || device.clock_hz <= 0 || device.memory_clock_hz <= 0) {
    return std::nullopt;
  }
  const double clocks = device.clock_hz * device.multiprocessors;
  return Ceilings{.device = device.name,
                  .bytes_per_s = device.memory_clock_hz * kTransfersPerClock *
                                 device.memory_bus_bits / kBitsPerByte,
                  .fp32_flops = known->per_clock.fp32 * clocks,
                  .tf32_flops = known->per_clock.tf32 * clocks,
                  .half_flops = known->per_clock.half * clocks};
}

bool kernels_run_on(std::string_view architectures, int capability) {
  constexpr int kMinors = 10;
  for (std::size_t end = 0; !architectures.empty(); architectures.remove_prefix(end)) {
    end = std::min(architectures.find(','), architectures.size());
    const std::string_view entry = architectures.substr(0, end);
    end = std::min(end + 1, architectures.size());
    int number = 0;
    const auto parsed = std::from_chars(entry.data(), entry.data() + entry.size(), number);
    const std::string_view kind = entry.substr(static_cast<std::size_t>(parsed.ptr - entry.data()));
    const bool has_machine_code = kind.empty() || kind == "-real";
    const bool has_ptx = kind.empty() || kind == "-virtual";
    if (parsed.ec != std::errc() || (!has_machine_code && !has_ptx)) return true;
    const bool same_major = number / kMinors == capability / kMinors;
    if (number <= capability && (has_ptx || same_major)) return true;
  }
  return false;
}

const Target& find_target(std::string_view name) {
  const auto found = std::ranges::find(targets(), name, &Target::name);
  if (found != targets().end()) return *found;
  throw InvalidArgument(cat("no target is called '",
                            printable(name),
                            "'; there are ",
                            joined(targets(), ", ", &Target::name)));
}

}  // namespace fovea::cuda
