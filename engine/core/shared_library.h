// Shared libraries that are looked for when the program runs, so that it starts where they are
// absent.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fovea {

/// A loaded shared library. It stays loaded until the process ends, as CUDA's libraries demand:
/// they leave threads and exit handlers behind. Copies refer to the same one. Thread-safe.
class SharedLibrary {
 public:
  /// A name with a slash is a path. Others are names of loaded libraries (their DT_SONAME), or are
  /// looked for where the loader looks. Symbols stay local to the library. Throws Unsupported with
  /// the loader's reason where it cannot be loaded.
  explicit SharedLibrary(std::string name);

  /// The first of the names that can be loaded, or nothing.
  [[nodiscard]] static std::optional<SharedLibrary> find(const std::vector<std::string>& names);

  /// Null where the library, or one that it needs, has no such function.
  template <typename Function>
  [[nodiscard]] Function* find_function(const char* name) const {
    return reinterpret_cast<Function*>(symbol(name));
  }

  /// Throws Unsupported that names the file where there is no such function.
  template <typename Function>
  [[nodiscard]] Function* function(const char* name) const {
    Function* const found = find_function<Function>(name);
    if (found == nullptr) fail_without(name);
    return found;
  }

  /// The file that was loaded, as the loader found it: links are not followed.
  [[nodiscard]] std::filesystem::path file() const;

 private:
  SharedLibrary(std::string name, void* handle);

  [[nodiscard]] void* symbol(const char* name) const;
  [[noreturn]] void fail_without(const char* name) const;

  std::string name_;
  void* handle_;
};

}  // namespace fovea
