// The list of passes, and leaving some of them out.
#include <algorithm>
#include <set>

#include "tests/support/errors.h"
#include "tests/unit/passes/pass_test.h"

namespace fovea {
namespace {

TEST(Pipeline, FindsEveryPassByItsOwnName) {
  std::set<std::string_view> names;
  for (const Pass& pass : default_passes()) {
    EXPECT_EQ(find_pass(pass.name).run, pass.run);
    EXPECT_TRUE(names.insert(pass.name).second) << pass.name;
  }
}

TEST(Pipeline, LeavesOutWhatIsNamedAndKeepsTheOrder) {
  const std::vector<std::string> names{"fold-pad", "fuse-residual", "fold-pad"};

  const std::vector<Pass> passes = passes_without(names);

  std::vector<std::string_view> expected;
  for (const Pass& pass : default_passes()) {
    if (pass.name != "fold-pad" && pass.name != "fuse-residual") expected.push_back(pass.name);
  }
  EXPECT_TRUE(std::ranges::equal(passes, expected, {}, [](const Pass& pass) { return pass.name; }));
  EXPECT_EQ(passes_without({}).size(), default_passes().size());
}

TEST(Pipeline, RefusesAnUnknownNameAndListsAll) {
  const std::vector<std::string> names{"fold-pad", "fold\npads"};

  for (const Pass& pass : default_passes()) {
    test::expect_error(
        ErrorCode::kArgumentInvalid, std::string(pass.name), [&] { (void)passes_without(names); });
  }
  test::expect_error(ErrorCode::kArgumentInvalid, "no pass is called 'fold?pads'", [&] {
    (void)passes_without(names);
  });
}

}  // namespace
}  // namespace fovea
