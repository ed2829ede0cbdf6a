// The version of what the importer makes of foreign files.
#pragma once

#include <cstdint>

namespace fovea {

/// Raise it with every change that gives another package for the same file: packages in the cache
/// are kept per version, and a helper program of another version is refused.
inline constexpr std::int64_t kImporterVersion = 3;

}  // namespace fovea
