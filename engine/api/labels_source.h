// Labels by what a user calls them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/pipeline/labels.h"

namespace fovea {

/// "imagenet" and "mnist" are built in; anything else is a file. Throws io/read, argument/invalid.
[[nodiscard]] std::vector<Label> read_labels(const std::string& name);

/// Whether that is the name of a set that is built in.
[[nodiscard]] bool is_label_set(std::string_view name);

}  // namespace fovea
