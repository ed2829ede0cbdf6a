// Tactics as people write them down.
#include "engine/plan/tactic_options.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace fovea {
namespace {

using test::expect_error;

TEST(ForcedTactics, AreReadFromOneLine) {
  EXPECT_TRUE(parse_forced_tactics("").empty());
  EXPECT_EQ(parse_forced_tactics("conv1=onednn:jit:avx2"),
            (ForcedTactics{{"conv1", "onednn:jit:avx2"}}));
  EXPECT_EQ(parse_forced_tactics("a=x,b/c:0=y,d=e=z"),
            (ForcedTactics{{"a", "x"}, {"b/c:0", "y"}, {"d=e", "z"}}));
}

TEST(ForcedTactics, ThatAreNone) {
  for (const std::string text : {"conv1", "=x", "conv1=", "a=x,,b=y", "a=x,b"}) {
    expect_error(
        ErrorCode::kArgumentInvalid, "node=tactic", [&] { (void)parse_forced_tactics(text); });
  }
  expect_error(
      ErrorCode::kArgumentInvalid, "'a' has two", [] { (void)parse_forced_tactics("a=x,a=y"); });
}

TEST(LockedTactics, AreReadForOneOrEveryBatch) {
  const LockedTactics locked = parse_locked_tactics(
      R"({"tactics": {"conv1": "direct", "conv2": {"1": "gemm", "32": "direct"}}})", "lock.json");

  EXPECT_EQ(locked,
            (LockedTactics{{"conv1", {{kEveryBatch, "direct"}}},
                           {"conv2", {{1, "gemm"}, {32, "direct"}}}}));
  EXPECT_EQ(parse_locked_tactics(locked_tactics_json(locked), "again"), locked);
  EXPECT_TRUE(parse_locked_tactics(locked_tactics_json({}), "again").empty());
}

TEST(LockedTactics, OtherBatchSizesAreAStar) {
  const LockedTactics locked = parse_locked_tactics(
      R"({"tactics": {"conv1": {"8": "gemm", "*": "direct"}, "conv2": {"*": "gemm"}}})", "x");

  EXPECT_EQ(locked,
            (LockedTactics{{"conv1", {{kEveryBatch, "direct"}, {8, "gemm"}}},
                           {"conv2", {{kEveryBatch, "gemm"}}}}));
  EXPECT_EQ(parse_locked_tactics(locked_tactics_json(locked), "again"), locked);
}

TEST(LockedTactics, OfAllSourcesDecideAsTheSourcesDo) {
  TacticOptions options;
  options.planned_locks = {{"a", {{1, "old"}, {8, "old"}}},
                           {"b", {{1, "old"}, {kEveryBatch, "older"}}},
                           {"c", {{1, "old"}}},
                           {"d", {{1, "old"}}}};
  options.locked = {{"a", {{8, "new"}}}, {"b", {{kEveryBatch, "new"}}}, {"c", {{1, "new"}}}};
  options.forced = {{"c", "forced"}, {"e", "forced"}};

  EXPECT_EQ(all_locks(options),
            (LockedTactics{{"a", {{1, "old"}, {8, "new"}}},
                           {"b", {{kEveryBatch, "new"}}},
                           {"c", {{kEveryBatch, "forced"}}},
                           {"d", {{1, "old"}}},
                           {"e", {{kEveryBatch, "forced"}}}}));
}

TEST(LockedTactics, NamesTheFileAndTheNode) {
  for (const std::string text : {"", "[]", "{", "{}", R"({"tactics": []})"}) {
    expect_error(ErrorCode::kArgumentInvalid, "lock.json is no list", [&] {
      (void)parse_locked_tactics(text, "lock.json");
    });
  }
  expect_error(ErrorCode::kArgumentInvalid, "lock.json has a key 'more'", [] {
    (void)parse_locked_tactics(R"({"tactics": {}, "more": 1})", "lock.json");
  });
  for (const std::string value : {"1",
                                  "\"\"",
                                  "{}",
                                  "[]",
                                  "null",
                                  R"({"0": "x"})",
                                  R"({"-1": "x"})",
                                  R"({"1x": "x"})",
                                  R"({"1": 2})",
                                  R"({"1": ""})",
                                  R"("a\nb")"}) {
    expect_error(ErrorCode::kArgumentInvalid, "lock.json: node 'conv1'", [&] {
      (void)parse_locked_tactics(R"({"tactics": {"conv1": )" + value + "}}", "lock.json");
    });
  }
}

TEST(Tuning, HasThreeWords) {
  EXPECT_EQ(parse_tuning("off"), Tuning::kOff);
  EXPECT_EQ(parse_tuning("fast"), Tuning::kFast);
  EXPECT_EQ(parse_tuning("full"), Tuning::kFull);
  EXPECT_LT(default_tuning_seconds(Tuning::kFast), default_tuning_seconds(Tuning::kFull));
  expect_error(ErrorCode::kArgumentInvalid, "off, fast or full, not 'slow'", [] {
    (void)parse_tuning("slow");
  });
}

}  // namespace
}  // namespace fovea
