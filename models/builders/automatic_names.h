// The names that Keras gives to layers without one.
#pragma once

#include <map>
#include <string>

namespace fovea::zoo {

/// Counts per kind of layer, in the order of creation: "conv2d", "conv2d_1", "conv2d_2", ...
class AutomaticNames {
 public:
  [[nodiscard]] std::string operator()(const std::string& kind) {
    const int number = created_[kind]++;
    return number == 0 ? kind : kind + '_' + std::to_string(number);
  }

 private:
  std::map<std::string, int> created_;
};

}  // namespace fovea::zoo
