#include "engine/core/env.h"

#include <cstdlib>

namespace fovea {

std::optional<std::string> env::get(const Variable& variable) {
  const char* value = std::getenv(variable.name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::optional<std::filesystem::path> cache_home() {
  if (const auto home = env::get(env::kHome)) return std::filesystem::path(*home);
  const auto user_cache = env::get(env::kXdgCacheHome);
  // The XDG specification: a relative path is invalid and has to be ignored.
  if (user_cache && std::filesystem::path(*user_cache).is_absolute()) {
    return std::filesystem::path(*user_cache) / "fovea";
  }
  if (const auto user_home = env::get(env::kUserHome)) {
    return std::filesystem::path(*user_home) / ".cache" / "fovea";
  }
  return std::nullopt;
}

}  // namespace fovea
