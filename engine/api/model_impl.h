// What a Model holds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <fovea/model.h>

namespace fovea {

struct Model::Impl {
  std::string name;
  ModelGraph graph;
  std::optional<PreprocessSpec> preprocessing;
  std::vector<Label> labels;
  std::string labels_name;  ///< "imagenet", "mnist", or empty: how a package refers to them
  bool logits = false;      ///< output 0 is what a softmax has yet to be applied to
};

}  // namespace fovea
