#include "models/builders/zoo.h"

#include <fovea/zoo.h>

namespace fovea {

std::vector<std::string_view> zoo_names() {
  std::vector<std::string_view> names;
  for (const zoo::Model& model : zoo::models()) names.push_back(model.name);
  return names;
}

std::string_view zoo_description(std::string_view name) {
  return zoo::find(name).description;
}

}  // namespace fovea
