#include "engine/core/file_lock.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/core/file.h"

namespace fovea {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class FileLockTest : public testing::Test {
 protected:
  TemporaryFolder folder_{std::filesystem::temp_directory_path()};
  std::filesystem::path path_ = folder_.path() / "lock";
};

TEST_F(FileLockTest, ExcludesAndGoesOnAfterItsPatience) {
  const FileLock first(path_, seconds(10));
  const auto start = std::chrono::steady_clock::now();

  const FileLock second(path_, milliseconds(50));

  EXPECT_TRUE(first.held());
  EXPECT_FALSE(second.held());
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(50));
}

TEST_F(FileLockTest, IsHandedOn) {
  std::atomic<bool> released = false;
  std::jthread holder([&] {
    const FileLock lock(path_, seconds(10));
    std::this_thread::sleep_for(milliseconds(100));
    released = true;
  });
  while (!std::filesystem::exists(path_)) std::this_thread::yield();
  std::this_thread::sleep_for(milliseconds(20));

  const FileLock lock(path_, seconds(10));

  EXPECT_TRUE(lock.held());
  EXPECT_TRUE(released);
}

TEST_F(FileLockTest, HoldsForOneAtATimeHoweverManyComeAndGo) {
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> turns = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 25; ++round) {
          const FileLock lock(path_, seconds(60));
          if (!lock.held()) continue;
          const int now = ++inside;
          if (now > most) most = now;
          std::this_thread::yield();
          ++turns;
          --inside;
        }
      });
    }
  }

  EXPECT_EQ(most, 1);
  EXPECT_EQ(turns, 8 * 25);
}

TEST_F(FileLockTest, LeavesNoFile) {
  {
    const FileLock lock(path_, seconds(10));
  }

  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(FileLockTest, GoesOnWhereItCannotLock) {
  const FileLock lock(folder_.path() / "absent" / "lock", seconds(10));

  EXPECT_FALSE(lock.held());
}

}  // namespace
}  // namespace fovea
