#include "apps/fovea/files.h"

#include <filesystem>
#include <system_error>

#include <fovea/error.h>

namespace fovea::app {

namespace {

namespace fs = std::filesystem;

/// The file itself, or those of the package in that folder.
std::vector<std::string> files_of(const std::string& input) {
  std::error_code error;
  if (!fs::is_directory(input, error)) return {input};
  std::vector<std::string> files;
  for (const char* name : {"manifest.json", "graph.json", "weights.safetensors", "labels.json"}) {
    files.push_back((fs::path(input) / name).string());
  }
  return files;
}

}  // namespace

bool is_same_file(const std::string& one, const std::string& other) {
  if (one.empty() || other.empty()) return false;
  std::error_code error;
  if (fs::equivalent(one, other, error)) return true;
  return fs::weakly_canonical(fs::absolute(one, error), error) ==
         fs::weakly_canonical(fs::absolute(other, error), error);
}

void refuse_overwriting(std::string_view option,
                        const std::string& output,
                        const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    for (const std::string& file : files_of(input)) {
      if (!is_same_file(output, file)) continue;
      throw InvalidArgument(std::string(option) + " is a file that the command reads, '" + file +
                            "', and would replace it; name another file");
    }
  }
}

void require_safetensors(const std::string& output) {
  if (output.ends_with(".safetensors")) return;
  throw InvalidArgument("--output ends in .safetensors, which '" + output + "' does not");
}

}  // namespace fovea::app
