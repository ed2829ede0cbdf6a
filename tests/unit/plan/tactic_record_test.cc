// What two compilations of one network tell together.
#include "engine/plan/tactic_record.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace fovea {
namespace {

using Notices = std::vector<std::string>;

TacticRecord record_of(int threads, const std::string& tactic, Notices notices) {
  TacticRecord record;
  record.decisions.push_back({.node = "a", .batch = 1, .threads = threads, .tactic = tactic});
  record.notices = std::move(notices);
  return record;
}

TEST(TacticRecord, AppendsDecisionsAndWhatIsNews) {
  TacticRecord record = record_of(4, "split", {"first", "both"});

  append(record, record_of(1, "whole", {"both", "second"}));

  ASSERT_EQ(record.decisions.size(), 2U);
  EXPECT_EQ(record.decisions[1].threads, 1);
  EXPECT_EQ(record.notices, (Notices{"first", "both", "second"}));
  EXPECT_EQ(locks_of(record), (LockedTactics{{"a", {{1, "split"}}}})) << "the first one's";
}

TEST(TacticRecord, SpeaksOnceOfTheTimeThatWasUp) {
  const auto late = [](std::size_t operations) {
    TacticRecord record = record_of(4, "split", {});
    record.tuning = {
        .seconds = 0.5, .limit_seconds = 0.5, .measured = 1, .out_of_time = operations};
    record.notices = notices_of(record.tuning);
    return record;
  };
  for (const auto& [first, second] : {std::pair{std::size_t{2}, std::size_t{3}}, {0, 5}, {5, 0}}) {
    TacticRecord record = late(first);

    append(record, late(second));

    ASSERT_EQ(record.notices.size(), 1U);
    EXPECT_TRUE(
        record.notices[0].starts_with("tuning ended when its 0.5 s were over: 5 of 7 operations"))
        << record.notices[0];
  }
  TacticRecord disturbed = late(2);
  disturbed.tuning.disturbed = 1;
  disturbed.notices = notices_of(disturbed.tuning);
  append(disturbed, late(3));
  ASSERT_EQ(disturbed.notices.size(), 2U);
  EXPECT_TRUE(disturbed.notices[0].find("5 of 8 operations") != std::string::npos);
  EXPECT_TRUE(disturbed.notices[1].starts_with("other programs used the processors while tactics"))
      << disturbed.notices[1];
  EXPECT_TRUE(disturbed.notices[1].find("1 of 8 operations") != std::string::npos);
  TacticRecord in_time = late(0);
  append(in_time, late(0));
  EXPECT_TRUE(in_time.notices.empty());
}

}  // namespace
}  // namespace fovea
