// What --explain prints of decisions that are known.
#include "apps/fovea/explanation.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace fovea::app {
namespace {

ChosenTactic chosen(std::string source, std::vector<OfferedTactic> offered) {
  return {.node = "conv",
          .batch = 1,
          .threads = 2,
          .tactic = "gemm",
          .source = std::move(source),
          .offered = std::move(offered),
          .refusal = {}};
}

/// The text behind the table of rewrites.
std::string tactics_of(std::vector<ChosenTactic> tactics) {
  const std::string empty = explanation_text({});
  return explanation_text({.rewrites = {}, .tactics = std::move(tactics)}).substr(empty.size());
}

TEST(Explanation, TellsWhyTheLibraryHasNothing) {
  ChosenTactic refused = chosen("heuristic", {{"gemm", 0, {}}});
  refused.refusal = "cuDNN is not found";

  EXPECT_NE(tactics_of({refused}).find("conv: gemm (only); cuDNN is not found\n"),
            std::string::npos)
      << tactics_of({refused});
  EXPECT_EQ(
      explanation_json({.rewrites = {}, .tactics = {refused}}).at("tactics").at(0).at("refusal"),
      "cuDNN is not found");
}

TEST(Explanation, PutsTheTakenTacticFirstAndTheOthersByTime) {
  const std::string text = tactics_of({chosen("measured",
                                              {{"slow", 900.04, {}},
                                               {"wrong", 0, "off by 1"},
                                               {"late", 0, {}},
                                               {"gemm", 602.4, {}},
                                               {"later", 0, {}},
                                               {"fast", 600, {}}})});

  EXPECT_EQ(text,
            "\nTactics, batch 1, 2 threads\n"
            "conv: gemm 602.4 us (measured); fast 600.0 us; slow 900.0 us; wrong refused: off\n"
            "    by 1; not measured: late, later\n"
            "\nWhat decided\n"
            "  measured   the fastest now; the heuristic's stays where none saves 2 %\n");
}

TEST(Explanation, SaysWhereThereWasNothingToChoose) {
  EXPECT_EQ(
      tactics_of({chosen("heuristic", {{"gemm", 0, {}}}), chosen("locked", {{"gemm", 0, {}}})}),
      "\nTactics, batch 1, 2 threads\n"
      "conv: gemm (only)\n"
      "conv: gemm (locked)\n"
      "\nWhat decided\n"
      "  locked     as --lock says, or did when the plan was compiled\n"
      "  only       the backend offers no other\n");
}

TEST(Explanation, HasATableForEachBatchSizeAndThreadCount) {
  ChosenTactic alone = chosen("plan", {{"gemm", 0, {}}, {"direct", 0, {}}});
  alone.threads = 1;
  ChosenTactic more = alone;
  more.batch = 8;

  EXPECT_EQ(tactics_of({alone, more}),
            "\nTactics, batch 1, 1 thread\n"
            "conv: gemm (plan); not measured: direct\n"
            "\nTactics, batch 8, 1 thread\n"
            "conv: gemm (plan); not measured: direct\n"
            "\nWhat decided\n"
            "  plan       as when the plan was compiled\n");
}

TEST(Explanation, GroupsRewritesThatAreAlike) {
  const std::string text = explanation_text({.rewrites = {{"fold-pad", "a", true, "joined 'x'"},
                                                          {"fold-pad", "b", true, "joined 'y'"},
                                                          {"fold-pad", "c", false, "no border"}},
                                             .tactics = {}});

  EXPECT_EQ(text,
            "Pass                    taken node: reason\n"
            "fold-pad                yes  a: joined 'x' (likewise b)\n"
            "fold-pad                no   c: no border\n");
}

TEST(Explanation, IsAlsoDataWithEveryDecision) {
  const nlohmann::ordered_json json =
      explanation_json({.rewrites = {{"fold-pad", "a", true, "joined"}},
                        .tactics = {chosen("measured", {{"gemm", 602.4, {}}, {"x", 0, "why"}})}});

  EXPECT_EQ(json.dump(),
            R"({"rewrites":[{"pass":"fold-pad","node":"a","taken":true,"reason":"joined"}],)"
            R"("tactics":[{"node":"conv","batch":1,"threads":2,"tactic":"gemm",)"
            R"("source":"measured","offered":[)"
            R"({"tactic":"gemm","microseconds":602.4,"refused":""},)"
            R"({"tactic":"x","microseconds":null,"refused":"why"}]}]})");
}

}  // namespace
}  // namespace fovea::app
