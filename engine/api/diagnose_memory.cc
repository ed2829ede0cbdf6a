#include <array>
#include <cstdio>
#include <fstream>
#include <optional>

#include "engine/api/diagnose.h"
#include "engine/backend/host_stream.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

/// Below this, the large networks do not fit: VGG16's weights are 553 MB, and are packed once.
constexpr double kLittleBytes = 2.0 * 1024 * 1024 * 1024;

/// The control group's memory limit; nothing where there is none.
/// Source: the kernel's admin-guide/cgroup-v2, "memory.max", and cgroup-v1's limit_in_bytes.
std::optional<double> memory_limit() {
  for (const char* path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    // "max" is no number, and v1 says nearly 2^63 for none.
    if (double bytes = 0; file >> bytes && bytes < 9e18) return bytes;
  }
  return std::nullopt;
}

}  // namespace

std::string readable_bytes(double bytes) {
  constexpr double kMebi = 1024.0 * 1024;
  std::array<char, 32> text{};
  if (bytes >= 1024 * kMebi) {
    std::snprintf(text.data(), text.size(), "%.1f GiB", bytes / (1024 * kMebi));
  } else {
    std::snprintf(text.data(), text.size(), "%.0f MiB", bytes / kMebi);
  }
  return text.data();
}

std::vector<Check> diagnose_memory() {
  const MemoryInfo memory = host_memory_info();
  const auto total = static_cast<double>(memory.total_bytes);
  std::vector<Check> checks;
  double usable = total;
  checks.push_back({.area = "memory",
                    .name = "machine",
                    .detail = cat(readable_bytes(total),
                                  ", free now ",
                                  readable_bytes(static_cast<double>(memory.free_bytes)))});
  const auto limit = memory_limit();
  if (limit && *limit < total) {
    usable = *limit;
    checks.push_back({.area = "memory",
                      .name = "limit",
                      .status = CheckStatus::kNote,
                      .detail = cat("the control group allows ", readable_bytes(*limit)),
                      .fix = {}});
  }
  if (usable < kLittleBytes) {
    checks.back().status = CheckStatus::kNote;
    checks.back().fix = "too little for the largest networks (vgg16, vgg19): 2 GiB are enough";
  }
  return checks;
}

}  // namespace fovea
