// The one table of the environment variables that Fovea reads.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::env {

/// An environment variable. Add one by declaring it here and listing it in kTable; nothing else in
/// the project calls getenv.
struct Variable {
  const char* name;
  std::string_view meaning;
};

inline constexpr Variable kHome{
    "FOVEA_HOME", "folder of the caches and downloads; the default is $XDG_CACHE_HOME/fovea"};
inline constexpr Variable kXdgCacheHome{"XDG_CACHE_HOME",
                                        "folder of the user's caches; the default is $HOME/.cache"};
inline constexpr Variable kUserHome{"HOME", "the user's home folder"};
inline constexpr Variable kImportHelper{
    "FOVEA_IMPORT_HELPER",
    "path of the program that reads foreign model files; the default is fovea-import beside the "
    "executable or library, or in its ../libexec/fovea"};

inline constexpr Variable kDecodeModule{
    "FOVEA_DECODE_MODULE",
    "path of the module that decodes BMP and WebP; the default is libfovea_decode_opencv.so "
    "beside the executable or library, or in its ../lib/fovea"};

inline constexpr Variable kOffline{"FOVEA_OFFLINE", "1 forbids downloads"};

inline constexpr Variable kTactic{
    "FOVEA_TACTIC",
    "node=tactic,node=tactic: how nodes of the optimised network are computed, whatever else says "
    "otherwise"};

inline constexpr Variable kWeightsUrl{
    "FOVEA_WEIGHTS_URL",
    "a mirror of the zoo's weights: files are downloaded from this URL, a slash and their name, "
    "and from nowhere else"};

inline constexpr Variable kDisablePasses{
    "FOVEA_DISABLE_PASSES",
    "graph passes that compiling leaves out, by name, with commas between; an unknown name lists "
    "all"};

inline constexpr Variable kDumpDir{
    "FOVEA_DUMP_DIR",
    "folder where every compilation writes a numbered folder of its own: what it is "
    "(`about.txt`), the graph as described and after every pass that changes it (`.dot`), the plan "
    "(`plan.txt`)"};

inline constexpr Variable kCudnnFolder{
    "FOVEA_CUDNN_DIR", "folder of cuDNN's libraries; the default is where the loader finds them"};

inline constexpr Variable kCublasLtFolder{
    "FOVEA_CUBLASLT_DIR", "folder of cuBLASLt's library; the default is where the loader finds it"};

inline constexpr std::array kTable{kHome,
                                   kXdgCacheHome,
                                   kUserHome,
                                   kImportHelper,
                                   kDecodeModule,
                                   kOffline,
                                   kWeightsUrl,
                                   kDisablePasses,
                                   kDumpDir,
                                   kTactic,
                                   kCudnnFolder,
                                   kCublasLtFolder};

/// The variable's value; nothing where it is unset or empty. Thread-safe as long as nobody changes
/// the environment meanwhile.
[[nodiscard]] std::optional<std::string> get(const Variable& variable);

/// Variables that are set, begin with `prefix` and are not in kTable: perhaps a slip of the pen.
/// Sorted. Thread-safe as get().
[[nodiscard]] std::vector<std::string> unknown_variables(std::string_view prefix);

}  // namespace fovea::env

namespace fovea {

/// Where caches and downloads live: $FOVEA_HOME, else $XDG_CACHE_HOME/fovea, else
/// $HOME/.cache/fovea. Nothing where none of the three is set; the folder may not exist yet.
[[nodiscard]] std::optional<std::filesystem::path> cache_home();

}  // namespace fovea
