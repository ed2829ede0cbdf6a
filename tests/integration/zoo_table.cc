#include "tests/integration/zoo_table.h"

#include <fstream>
#include <sstream>
#include <utility>

namespace fovea::test {

std::vector<std::vector<std::string>> read_zoo_table(const std::filesystem::path& path) {
  constexpr std::size_t kColumns = 9;
  std::ifstream file(path);
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(file, line);  // the header
  while (std::getline(file, line)) {
    std::vector<std::string> cells;
    std::istringstream stream(line);
    for (std::string cell; std::getline(stream, cell, '\t');) cells.push_back(cell);
    cells.resize(kColumns);
    rows.push_back(std::move(cells));
  }
  return rows;
}

}  // namespace fovea::test
