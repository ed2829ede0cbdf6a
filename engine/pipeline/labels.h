// Reading class labels.
#pragma once

#include <string_view>
#include <vector>

#include <fovea/model.h>

namespace fovea {

/// Labels in the order of the classes, from any of
///   ["cat", "dog"]                                 a JSON list of names
///   [["n01440764", "tench"], ...]                  a JSON list of [id, name]
///   {"0": ["n01440764", "tench"], ...}             Keras's class index: keys 0 to n - 1
///   one name a line, or "n01440764 tench" a line   anything else; the id is a WordNet id
/// `source` names the text in messages. Throws InvalidArgument for anything else and for no labels.
[[nodiscard]] std::vector<Label> parse_labels(std::string_view text, std::string_view source);

}  // namespace fovea
