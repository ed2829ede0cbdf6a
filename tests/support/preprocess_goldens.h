// Tables of what Keras makes of pictures: sha256 of pixels, one line each.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fovea/preprocess.h>

namespace fovea::test {

/// The columns of one line.
using Row = std::vector<std::string>;

/// The lines of a table by their first column, the name of the picture; the heading is dropped.
inline std::map<std::string, std::vector<Row>> rows_by_picture(const std::filesystem::path& path) {
  std::map<std::string, std::vector<Row>> rows;
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream columns(line);
    Row row;
    for (std::string column; std::getline(columns, column, '\t');) row.push_back(column);
    rows[row.at(0)].push_back(row);
  }
  return rows;
}

/// A picture that a table names.
inline std::string picture_path(const std::filesystem::path& shared, const std::string& name) {
  const auto special = shared / "goldens" / "preprocess" / "images" / name;
  return std::filesystem::exists(special) ? special : shared / "data" / "imagenet" / name;
}

/// Columns: image, target_h, target_w, interpolation, keep_aspect_ratio, color_mode, dtype, sha256.
/// "0 0 -" is the decoded picture.
inline PreprocessSpec spec_of(const Row& row) {
  PreprocessSpec spec{.height = std::stoi(row.at(1)), .width = std::stoi(row.at(2))};
  if (row.at(3) != "-") spec.interpolation = parse_interpolation(row.at(3));
  if (row.at(4) == "true") spec.fit = Fit::kKeepAspectRatio;
  spec.color = parse_color_mode(row.at(5));
  return spec;
}

}  // namespace fovea::test
