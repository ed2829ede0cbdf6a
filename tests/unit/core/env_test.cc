#include "engine/core/env.h"

#include <cstdlib>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace fovea {
namespace {

class CacheHome : public testing::Test {
 protected:
  void SetUp() override {
    for (const env::Variable& variable : env::kTable) ::unsetenv(variable.name);
  }
};

TEST_F(CacheHome, PrefersOurOwnVariable) {
  ::setenv("FOVEA_HOME", "/a", 1);
  ::setenv("XDG_CACHE_HOME", "/b", 1);
  ::setenv("HOME", "/c", 1);
  EXPECT_EQ(cache_home(), "/a");

  ::unsetenv("FOVEA_HOME");
  EXPECT_EQ(cache_home(), "/b/fovea");

  ::unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(cache_home(), "/c/.cache/fovea");

  ::unsetenv("HOME");
  EXPECT_EQ(cache_home(), std::nullopt);
}

TEST_F(CacheHome, TakesAnEmptyValueAsUnset) {
  ::setenv("FOVEA_HOME", "", 1);
  ::setenv("HOME", "/c", 1);

  EXPECT_EQ(cache_home(), "/c/.cache/fovea");
}

TEST_F(CacheHome, IgnoresARelativeXdgPath) {
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  ::setenv("HOME", "/c", 1);

  EXPECT_EQ(cache_home(), "/c/.cache/fovea");
}

TEST(EnvTable, NamesEveryVariableOnceWithItsMeaning) {
  std::set<std::string> names;
  for (const env::Variable& variable : env::kTable) {
    EXPECT_TRUE(names.insert(variable.name).second) << variable.name;
    EXPECT_FALSE(variable.meaning.empty()) << variable.name;
  }
}

TEST(EnvTable, TellsUnknownVariablesFromItsOwn) {
  ::setenv("FOVEA_HOME", "/a", 1);
  ::setenv("FOVEA_TEST_UNKNOWN_B", "", 1);
  ::setenv("FOVEA_TEST_UNKNOWN_A", "x=y", 1);
  ::setenv("FOVEATEST", "1", 1);

  EXPECT_EQ(env::unknown_variables("FOVEA_TEST_"),
            (std::vector<std::string>{"FOVEA_TEST_UNKNOWN_A", "FOVEA_TEST_UNKNOWN_B"}));
  for (const std::string& name : env::unknown_variables("FOVEA_")) {
    EXPECT_NE(name, "FOVEA_HOME");
    EXPECT_NE(name, "FOVEATEST");
  }
}

}  // namespace
}  // namespace fovea
