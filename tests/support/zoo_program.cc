// The program `fovea` with manifests of a test's own: whole downloads can be tested although the
// hashes in the real manifests are those of files that no test can serve.
//
// A file FOVEA_TEST_MANIFESTS/NAME/manifest.json stands in for the embedded one of that path. All
// else is the program itself; it has no such door, which would be one around its hashes.
#include <cstdlib>
#include <filesystem>
#include <list>
#include <string>
#include <vector>

#include "engine/core/file.h"
#include "models/embedded.h"

namespace fovea {

// The linker's --wrap sends calls of embedded_files() to the second and gives the first to us.
std::span<const EmbeddedFile> real_embedded_files() asm("__real__ZN5fovea14embedded_filesEv");
std::span<const EmbeddedFile> test_embedded_files() asm("__wrap__ZN5fovea14embedded_filesEv");

std::span<const EmbeddedFile> test_embedded_files() {
  static std::list<std::string> texts;
  static const std::vector<EmbeddedFile> kFiles = [] {
    const auto real = real_embedded_files();
    std::vector<EmbeddedFile> replaced(real.begin(), real.end());
    const char* folder = std::getenv("FOVEA_TEST_MANIFESTS");
    for (EmbeddedFile& file : replaced) {
      const auto path = std::filesystem::path(folder == nullptr ? "" : folder) / file.path;
      if (folder == nullptr || !std::filesystem::exists(path)) continue;
      texts.push_back(read_text_file(path));
      file.bytes = std::as_bytes(std::span(texts.back()));
    }
    return replaced;
  }();
  return kFiles;
}

}  // namespace fovea
