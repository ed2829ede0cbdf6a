// The zoo: every network that can be opened by name.
#pragma once

#include <span>
#include <string_view>

#include <fovea/graph.h>

#include "models/builders/builders.h"

namespace fovea::zoo {

struct Model {
  std::string_view name;         ///< as on the command line
  std::string_view description;  ///< one line without a full stop
  std::string_view folder;       ///< of its manifest.json among the embedded files
  ModelGraph (*build)(InputSize size);
};

/// In the order in which they are listed.
[[nodiscard]] std::span<const Model> models();

/// The model of that name. Throws model/not-found, listing the names.
[[nodiscard]] const Model& find(std::string_view name);

}  // namespace fovea::zoo
