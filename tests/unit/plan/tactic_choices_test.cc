#include "engine/plan/tactic_choices.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace fovea {
namespace {

TEST(TacticChoices, RoundTripExactlyAndInOneOrder) {
  const Choices choices{{R"(Conv2d{"pads":[0]} "quoted")", {"onednn:jit:avx2", 12.125}},
                        {"Add{} b", {"b", 0}},
                        {"Add{} a", {"a", 1e-3, true}}};

  const std::string text = choices_json(choices);

  EXPECT_EQ(parse_choices(text), choices);
  EXPECT_EQ(choices_json(parse_choices(text)), text);
  EXPECT_LT(text.find("Add{} a"), text.find("Add{} b"));
}

TEST(TacticChoices, OfNothing) {
  EXPECT_TRUE(parse_choices(choices_json({})).empty());
}

TEST(TacticChoices, RefusesWhatItDoesNotWrite) {
  for (const std::string text :
       {"",
        "[]",
        "{}",
        "{",
        R"({"s": 1})",
        R"({"s": []})",
        R"({"s": [{"tactic": "t", "microseconds": 1}]})",
        R"({"s": {"tactic": "t"}})",
        R"({"s": {"tactic": "t", "microseconds": 1, "more": 2}})",
        "{\n\"s\": {\"tactic\": \"t\", \"microseconds\": 1.0, \"full\": false}\n}\n",
        R"({"s": {"tactic": 1, "microseconds": 1}})",
        R"({"s": {"tactic": "", "microseconds": 1}})",
        R"({"s": {"tactic": "a\nb", "microseconds": 1}})",
        R"({"s": {"tactic": "t", "microseconds": -1}})",
        R"({"s": {"tactic": "t", "microseconds": "1"}})",
        R"({"s": {"tactic": "t", "microseconds": 1e999}})",
        R"({"": {"tactic": "t", "microseconds": 1}})",
        R"({"s": {"tactic": "t", "microseconds": 1}, "s": {"tactic": "u", "microseconds": 1}})"}) {
    test::expect_error(ErrorCode::kPlanCorrupt, "", [&] { (void)parse_choices(text); });
  }
}

TEST(TacticChoices, NamesTheBadOne) {
  test::expect_error(ErrorCode::kPlanCorrupt, "'Add{} x'", [] {
    (void)parse_choices(R"({"Add{} x": {"tactic": 3, "microseconds": 1}})");
  });
}

}  // namespace
}  // namespace fovea
