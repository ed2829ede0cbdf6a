// The tables of networks that were traced from Keras: design/zoo/*.tsv of the shared data.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace fovea::test {

/// One layer a row: index, name, class, output shape, number of parameters, MACs, attributes,
/// inputs, weights.
[[nodiscard]] std::vector<std::vector<std::string>> read_zoo_table(
    const std::filesystem::path& path);

}  // namespace fovea::test
