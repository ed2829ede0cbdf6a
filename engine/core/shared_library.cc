#include "engine/core/shared_library.h"

#include <utility>

#include <dlfcn.h>
#include <link.h>

#include "engine/core/printable.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

void* open(const std::string& name) {
  return ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

}  // namespace

SharedLibrary::SharedLibrary(std::string name) : name_(std::move(name)), handle_(open(name_)) {
  if (handle_ != nullptr) return;
  const char* const reason = ::dlerror();
  throw Unsupported(cat("'",
                        printable(name_),
                        "' cannot be loaded: ",
                        reason == nullptr ? "no reason is given" : printable(reason)));
}

SharedLibrary::SharedLibrary(std::string name, void* handle)
    : name_(std::move(name)), handle_(handle) {}

std::optional<SharedLibrary> SharedLibrary::find(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (void* const handle = open(name)) return SharedLibrary(name, handle);
  }
  return std::nullopt;
}

void* SharedLibrary::symbol(const char* name) const {
  return ::dlsym(handle_, name);
}

void SharedLibrary::fail_without(const char* name) const {
  throw Unsupported(cat(printable(file().string()), " has no function ", name));
}

std::filesystem::path SharedLibrary::file() const {
  link_map* map = nullptr;
  const bool known =
      ::dlinfo(handle_, RTLD_DI_LINKMAP, static_cast<void*>(&map)) == 0 && map != nullptr;
  return known ? map->l_name : name_;
}

}  // namespace fovea
