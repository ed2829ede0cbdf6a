// Finds the photographs, models and goldens that lie beside the checkout and are not part of it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace fovea::test {

/// The folder with data/ and goldens/: $FOVEA_SHARED, else ../shared beside the checkout; empty
/// where there is none.
inline std::filesystem::path shared_data() {
  const char* set = std::getenv("FOVEA_SHARED");
  const std::filesystem::path folder =
      set != nullptr ? std::filesystem::path(set)
                     : std::filesystem::path(FOVEA_SOURCE_DIR) / ".." / "shared";
  return std::filesystem::is_directory(folder / "goldens") ? folder : std::filesystem::path();
}

/// A test that needs that folder. Skips with a message where it is absent; fails instead where
/// FOVEA_REQUIRE_DATA is 1.
class SharedDataTest : public testing::Test {
 protected:
  void SetUp() override {
    shared_ = shared_data();
    if (!shared_.empty()) return;
    const char* required = std::getenv("FOVEA_REQUIRE_DATA");
    if (required != nullptr && std::string(required) == "1") {
      FAIL() << "FOVEA_REQUIRE_DATA=1, and no test data at ../shared or $FOVEA_SHARED";
    }
    GTEST_SKIP() << "no test data at ../shared or $FOVEA_SHARED";
  }

  std::filesystem::path shared_;
};

}  // namespace fovea::test
