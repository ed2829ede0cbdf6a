#include <algorithm>
#include <array>

#include <fovea/error.h>

namespace fovea {

namespace {

/// In the order of ErrorCode.
constexpr std::array<std::string_view, 32> kCodes{
    "image/not-found",
    "image/unreadable",
    "image/unsupported-format",
    "image/truncated",
    "image/corrupt",
    "image/too-large",
    "queue/full",
    "queue/deadline",
    "queue/cancelled",
    "argument/invalid",
    "argument/unsupported",
    "model/not-found",
    "model/unsupported-op",
    "model/unsupported-format",
    "model/corrupt",
    "model/limit",
    "model/importer-crashed",
    "weights/missing",
    "weights/hash-mismatch",
    "weights/shape-mismatch",
    "plan/corrupt",
    "plan/version",
    "plan/device",
    "device/none",
    "device/out-of-memory",
    "device/failed",
    "io/read",
    "io/write",
    "io/no-space",
    "weights/offline",
    "weights/download",
    "internal",
};
static_assert(kCodes.size() == static_cast<std::size_t>(ErrorCode::kInternal) + 1);

}  // namespace

std::string_view to_string(ErrorCode code) noexcept {
  return kCodes[static_cast<std::size_t>(code)];
}

ErrorCode error_code(std::string_view text) noexcept {
  const auto* found = std::find(kCodes.begin(), kCodes.end(), text);
  return found == kCodes.end() ? ErrorCode::kInternal
                               : static_cast<ErrorCode>(found - kCodes.begin());
}

}  // namespace fovea
