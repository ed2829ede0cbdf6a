// Hashes as lower-case hexadecimal text.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace fovea {

/// 32 digits. Fast (tens of GB/s); finds damage, proves nothing about who made the bytes.
[[nodiscard]] std::string xxh3_128(std::span<const std::byte> bytes);

/// 64 digits, for provenance: downloads, caches of foreign files, `models verify`.
[[nodiscard]] std::string sha256(std::span<const std::byte> bytes);

}  // namespace fovea
