#include "engine/api/labels_source.h"

#include "engine/core/file.h"
#include "engine/core/require.h"
#include "models/embedded.h"

namespace fovea {

namespace {

/// More than this is no list of labels.
constexpr FileLimit kLabelLimit{std::uint64_t{64} << 20, ErrorCode::kArgumentInvalid};

const EmbeddedFile* find_label_set(std::string_view name) {
  return find_embedded_file(cat("labels/", name, ".json"));
}

}  // namespace

bool is_label_set(std::string_view name) {
  return find_label_set(name) != nullptr;
}

std::vector<Label> read_labels(const std::string& name) {
  if (const EmbeddedFile* set = find_label_set(name)) return parse_labels(set->text(), name);
  return parse_labels(read_text_file(name, kLabelLimit), name);
}

}  // namespace fovea
