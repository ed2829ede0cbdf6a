// The tests' own test: that gtest/gtest.h tells what failed, was skipped or threw. Exit code 0
// where it does.
#include <array>
#include <cstdio>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/gpu/run_cases.h"

namespace {

TEST(Passes, Comparisons) {
  EXPECT_EQ(1, 1);
  EXPECT_NE(1, 2);
  EXPECT_LT(1, 2);
  EXPECT_LE(2, 2);
  EXPECT_GT(2, 1);
  EXPECT_GE(2, 2);
  EXPECT_NEAR(1.0, 1.5, 0.5);
  EXPECT_TRUE(true);
  EXPECT_FALSE(false);
  EXPECT_THROW(throw std::runtime_error("expected"), std::runtime_error);
}

TEST(Fails, Equal) {
  EXPECT_EQ(1, 2) << "a note";
}

TEST(Fails, NotEqual) {
  EXPECT_NE(2, 2);
}

TEST(Fails, Less) {
  EXPECT_LT(2, 2);
}

TEST(Fails, LessOrEqual) {
  EXPECT_LE(3, 2);
}

TEST(Fails, Greater) {
  EXPECT_GT(2, 2);
}

TEST(Fails, GreaterOrEqual) {
  EXPECT_GE(1, 2);
}

TEST(Fails, Near) {
  EXPECT_NEAR(1.0, 1.6, 0.5);
}

TEST(Fails, NearNaN) {
  EXPECT_NEAR(1.0, NAN, 0.5);
}

TEST(Fails, True) {
  EXPECT_TRUE(false);
}

TEST(Fails, False) {
  EXPECT_FALSE(true);
}

TEST(Fails, NothingThrown) {
  EXPECT_THROW((void)0, std::runtime_error);
}

TEST(Fails, SomethingElseThrown) {
  EXPECT_THROW(throw 1, std::runtime_error);
}

TEST(Fails, Vectors) {
  EXPECT_EQ(std::vector<int>({1, 2}), std::vector<int>({1, 3}));
}

TEST(Fails, Thrown) {
  throw std::runtime_error("not expected");
}

TEST(Fails, AssertionLeaves) {
  ASSERT_EQ(1, 2);
  throw std::runtime_error("never reached");
}

TEST(Fails, Explicitly) {
  FAIL() << "always";
}

TEST(Skips, Explicitly) {
  GTEST_SKIP() << "no reason";
}

/// Skipped in its SetUp: the body must not run.
class SkipsInSetUp : public testing::Test {
 protected:
  void SetUp() override { GTEST_SKIP() << "no reason"; }
};

TEST_F(SkipsInSetUp, Body) {
  FAIL() << "never reached";
}

class FailsForOne : public testing::TestWithParam<int> {};

TEST_P(FailsForOne, Value) {
  SCOPED_TRACE(testing::Message() << "value " << GetParam());
  EXPECT_NE(GetParam(), 1);
}

INSTANTIATE_TEST_SUITE_P(All, FailsForOne, testing::Range(0, 3));

using fovea::selftest::CaseResult;
using fovea::selftest::CaseStatus;

CaseStatus expected(std::string_view name) {
  if (name.starts_with("Skips")) return CaseStatus::kSkipped;
  return name.starts_with("Fails") || name == "All/FailsForOne.Value/1" ? CaseStatus::kFailed
                                                                        : CaseStatus::kPassed;
}

bool has_reason(const CaseResult& result) {
  return result.status == CaseStatus::kPassed || result.messages.size() == 1;
}

}  // namespace

int main() {
  constexpr std::size_t kTests = 22;
  int wrong = 0;
  const auto all = [](std::string_view /*name*/) { return true; };
  const auto results = fovea::selftest::run_cases(all, [&](const CaseResult& result) {
    if (result.status == expected(result.name) && has_reason(result)) return;
    std::printf("%s is not what it should be\n", result.name.c_str());
    ++wrong;
  });
  const auto value = fovea::selftest::run_cases(
      [](std::string_view name) { return name == "All/FailsForOne.Value/1"; },
      [](const CaseResult&) {});
  if (value.size() != 1 || value[0].messages[0].find("[value 1]") == std::string::npos) ++wrong;
  std::printf("%zu of %zu tests, %d wrong\n", results.size(), kTests, wrong);
  return results.size() == kTests && wrong == 0 ? 0 : 1;
}
