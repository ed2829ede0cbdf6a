#include "engine/api/labels_source.h"

#include "engine/core/file.h"
#include "engine/core/require.h"
#include "models/embedded.h"

namespace fovea {

namespace {

/// More than this is no list of labels.
constexpr FileLimit kLabelLimit{std::uint64_t{64} << 20, ErrorCode::kArgumentInvalid};

}  // namespace

std::vector<Label> read_labels(const std::string& name) {
  if (const EmbeddedFile* file = find_embedded_file(cat("labels/", name, ".json"))) {
    return parse_labels(file->text(), name);
  }
  return parse_labels(read_text_file(name, kLabelLimit), name);
}

}  // namespace fovea
