// Hashes of files, computed once for as long as nobody touches the file.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace fovea {

/// A file that changed so recently may change again without its time stamps showing it.
inline constexpr std::chrono::milliseconds kSettled{2'000};

/// The hash of the file as `compute()` gives it, or gave it in an earlier call, in any process. It
/// is looked up in $cache_home/digests by the file's device, inode, size, time of its last change
/// and time of the last change of its attributes. Nobody can set that last one, so a file is
/// recognised only where it was not written to since; files that changed within `settled` before
/// are hashed and not remembered. Works without a cache that can be written. Thread-safe.
///
/// algorithm  what compute() computes, lower-case letters and digits ("sha256"); the hash is
///            hexadecimal
[[nodiscard]] std::string known_digest(const std::filesystem::path& file,
                                       std::string_view algorithm,
                                       const std::function<std::string()>& compute,
                                       std::chrono::milliseconds settled = kSettled);

}  // namespace fovea
