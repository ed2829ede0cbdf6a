#include "tests/gpu/oracles.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "engine/core/require.h"
#include "models/embedded.h"

namespace fovea {

/// All of them; cmake/EmbedFiles.cmake writes it.
[[nodiscard]] std::span<const EmbeddedFile> oracle_files();

namespace selftest {

std::vector<float> oracle_logits(std::string_view network) {
  const auto files = oracle_files();
  const auto file = std::ranges::find(files, cat("oracles/", network, ".f32"), &EmbeddedFile::path);
  if (file == files.end()) return {};
  std::vector<float> logits(file->bytes.size() / sizeof(float));
  std::memcpy(logits.data(), file->bytes.data(), file->bytes.size());
  return logits;
}

}  // namespace selftest

}  // namespace fovea
