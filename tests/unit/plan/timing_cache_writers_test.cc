// Many processes write one timing cache at a time, for as long as it takes.
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/core/file.h"
#include "engine/plan/timing_cache.h"

namespace fovea {
namespace {

constexpr int kWriters = 16;
constexpr int kRounds = 200;

std::string signature(int writer, int round) {
  return "op " + std::to_string(writer) + ' ' + std::to_string(round);
}

/// 0, or 1 where the cache had something to tell: damage, or a write that failed.
int write_all_rounds(const std::filesystem::path& folder, int writer) {
  for (int round = 0; round < kRounds; ++round) {
    TimingCache cache(folder, "cpu");
    cache.add(signature(writer, round), {"tactic", 1.0 * writer});
    cache.save();
    if (!cache.notices().empty()) return 1;
  }
  return 0;
}

TEST(TimingCacheWriters, SixteenProcessesLoseNothingInTwoHundredRounds) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  std::vector<pid_t> writers;
  for (int w = 0; w < kWriters; ++w) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(write_all_rounds(folder.path(), w));
    writers.push_back(child);
  }
  for (const pid_t writer : writers) {
    int status = -1;
    ASSERT_EQ(::waitpid(writer, &status, 0), writer);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }

  const TimingCache cache(folder.path(), "cpu");

  EXPECT_TRUE(cache.notices().empty());
  for (int w = 0; w < kWriters; ++w) {
    for (int r = 0; r < kRounds; ++r) {
      ASSERT_NE(cache.find(signature(w, r)), nullptr) << signature(w, r);
      EXPECT_EQ(*cache.find(signature(w, r)), (Choice{"tactic", 1.0 * w}));
    }
  }
}

}  // namespace
}  // namespace fovea
