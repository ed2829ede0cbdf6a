#include <array>
#include <cstddef>
#include <string>

#include <fovea/precision.h>

#include "engine/core/require.h"

namespace fovea {

namespace {

/// In the order of Precision.
constexpr std::array<std::string_view, 5> kPrecisions{"fp32", "tf32", "fp16", "bf16", "int8"};

}  // namespace

std::string_view to_string(Precision precision) {
  return kPrecisions.at(static_cast<std::size_t>(precision));
}

Precision parse_precision(std::string_view text) {
  std::string accepted;
  for (std::size_t i = 0; i < kPrecisions.size(); ++i) {
    if (kPrecisions[i] == text) return static_cast<Precision>(i);
    if (static_cast<Precision>(i) == Precision::kInt8) continue;  // no backend computes in it yet
    accepted += cat(i == 0 ? "" : ", ", kPrecisions[i]);
  }
  throw InvalidArgument(cat("no precision is called '", text, "'; use one of: ", accepted));
}

}  // namespace fovea
