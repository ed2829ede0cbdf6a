// Plan files and packages for people and for scripts.
#pragma once

#include <string>

#include <fovea/plan_file.h>

namespace fovea::app {

/// A table of what is in the file; with `steps` also every step of every batch size.
[[nodiscard]] std::string file_text(const FileInfo& info, bool steps);

/// One line per batch size: steps, arena against its bound, workspace.
[[nodiscard]] std::string buckets_text(const std::vector<BucketInfo>& buckets);

/// The same as one JSON object, without a line's end.
[[nodiscard]] std::string file_json(const FileInfo& info);

/// How pictures become the model's input, in a line.
[[nodiscard]] std::string preprocessing_text(const std::optional<PreprocessSpec>& spec);

/// "12.3 MiB" and the like.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

}  // namespace fovea::app
