#include "engine/core/install_path.h"

#include <system_error>

#include <dlfcn.h>
#include <link.h>

namespace fovea {

std::filesystem::path code_folder() {
  Dl_info info{};
  void* extra = nullptr;
  const auto* here = reinterpret_cast<const void*>(&code_folder);
  if (dladdr1(here, &info, &extra, RTLD_DL_LINKMAP) == 0) return {};
  const auto* map = static_cast<const link_map*>(extra);
  // The main program has no name in the map, and dli_fname is what it was called with.
  const bool is_program = map == nullptr || map->l_name == nullptr || *map->l_name == '\0';
  const std::filesystem::path file = is_program ? "/proc/self/exe" : map->l_name;
  std::error_code error;
  const std::filesystem::path resolved = std::filesystem::canonical(file, error);
  return error ? std::filesystem::path() : resolved.parent_path();
}

std::filesystem::path companion_file(const std::filesystem::path& name,
                                     const std::filesystem::path& folder) {
  const std::filesystem::path here = code_folder();
  std::error_code ignored;
  std::filesystem::path beside = here / name;
  if (std::filesystem::exists(beside, ignored)) return beside;
  return (here / ".." / folder / name).lexically_normal();
}

}  // namespace fovea
