#include "engine/core/env.h"

#include <algorithm>
#include <cstdlib>

#include <unistd.h>

namespace fovea {

std::optional<std::string> env::get(const Variable& variable) {
  const char* value = std::getenv(variable.name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::vector<std::string> env::unknown_variables(std::string_view prefix) {
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    const bool known = std::ranges::any_of(
        kTable, [&](const Variable& variable) { return name == variable.name; });
    if (name.starts_with(prefix) && !known) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
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
