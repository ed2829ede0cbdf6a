// Files that are installed beside our own code.
#pragma once

#include <filesystem>

namespace fovea {

/// The folder of the executable or shared library that this function is linked into; empty where
/// the system does not tell. Thread-safe.
[[nodiscard]] std::filesystem::path code_folder();

/// The first that exists of `name` in code_folder() and in code_folder()/../`folder`; where neither
/// does, the second, for a message. Thread-safe.
[[nodiscard]] std::filesystem::path companion_file(const std::filesystem::path& name,
                                                   const std::filesystem::path& folder);

}  // namespace fovea
