#include <fstream>
#include <iterator>

#include <fovea/diagnostics.h>
#include <fovea/version.h>

#include "engine/api/diagnose.h"
#include "engine/backend/cpu/library.h"

namespace fovea {

std::vector<LibraryVersion> library_versions() {
  return {{"fovea", std::string(version())},
          {"commit", std::string(git_commit())},
          {"onednn", onednn_version()}};
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string_view to_string(CheckStatus status) {
  switch (status) {
    case CheckStatus::kOk:
      return "ok";
    case CheckStatus::kNote:
      return "note";
    case CheckStatus::kProblem:
      return "problem";
  }
  return "problem";
}

std::vector<Check> diagnose() {
  std::vector<Check> checks;
  for (auto* part :
       {diagnose_cpu, diagnose_gpu, diagnose_memory, diagnose_files, diagnose_environment}) {
    auto more = part();
    checks.insert(
        checks.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  return checks;
}

}  // namespace fovea
