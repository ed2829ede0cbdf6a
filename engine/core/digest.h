// Cryptographic hashes as lower-case hexadecimal text.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "engine/core/file.h"

namespace fovea {

/// 64 digits, for provenance: downloads, caches of foreign files, `models verify`.
[[nodiscard]] std::string sha256(std::span<const std::byte> bytes);

/// The same of a file's content, in constant memory. Throws like read_file.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& path,
                                         const FileLimit& limit = {});

/// 32 digits. Only for files whose publisher gives no better hash: it finds damage and exchange by
/// accident, but whoever makes two files can give them the same one.
[[nodiscard]] std::string md5(std::span<const std::byte> bytes);

/// The same of a file's content, in constant memory. Throws like read_file.
[[nodiscard]] std::string md5_of_file(const std::filesystem::path& path,
                                      const FileLimit& limit = {});

}  // namespace fovea
