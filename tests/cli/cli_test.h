// What the tests of the command line share.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json_fwd.hpp>

#include "engine/core/file.h"
#include "tests/support/program.h"

namespace fovea::test {

inline const std::filesystem::path kDigits =
    std::filesystem::path(FOVEA_SOURCE_DIR) / "models" / "lenet5" / "digits";

/// Small pictures of every format.
inline const std::filesystem::path kPictures =
    std::filesystem::path(FOVEA_SOURCE_DIR) / "tests" / "unit" / "pipeline" / "files";

inline std::string digit(int value) {
  return (kDigits / (std::to_string(value) + ".png")).string();
}

/// A test with a folder of its own.
class CliTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  /// A copy of `file` under that name in the folder; folders on the way are made.
  [[nodiscard]] std::string copy(const std::filesystem::path& file, const std::string& name) const {
    const std::filesystem::path target = folder_.path() / name;
    std::filesystem::create_directories(target.parent_path());
    std::filesystem::copy_file(file, target);
    return target.string();
  }

  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
};

/// A message whose lines were broken at spaces, on one line again.
[[nodiscard]] std::string unwrapped(std::string message);

/// The lines as JSON objects; a line that is none fails the test.
[[nodiscard]] std::vector<nlohmann::json> rows_of(const std::string& text);

/// The member `key` of every row, a text.
[[nodiscard]] std::vector<std::string> members(const std::vector<nlohmann::json>& rows,
                                               const char* key);

}  // namespace fovea::test
