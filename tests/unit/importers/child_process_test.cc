#include "engine/importers/child_process.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/core/file.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

ChildResult shell(const std::string& script, milliseconds limit = seconds(30)) {
  return run_child("/bin/sh", {"-c", script}, limit);
}

TEST(ChildProcess, ReturnsStatusAndBothStreams) {
  const ChildResult result = shell("echo out; echo err >&2; exit 3");

  EXPECT_EQ(result.end, ChildEnd::kExited);
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
}

TEST(ChildProcess, PassesArgumentsAsTheyAre) {
  const ChildResult result = run_child(
      "/bin/sh", {"-c", R"(printf '%s|' "$@")", "sh", "a b", "", "$HOME", "-x"}, seconds(30));

  EXPECT_EQ(result.output, "a b||$HOME|-x|");
}

TEST(ChildProcess, LooksForANameInThePath) {
  EXPECT_EQ(run_child("echo", {"found"}, seconds(30)).output, "found\n");
  test::expect_error(ErrorCode::kIoRead, "no-such-program", [] {
    (void)run_child("no-such-program", {}, seconds(30));
  });
}

TEST(ChildProcess, NamesTheSignal) {
  const ChildResult result = shell("kill -SEGV $$");

  EXPECT_EQ(result.end, ChildEnd::kSignalled);
  EXPECT_EQ(result.code, SIGSEGV);
}

TEST(ChildProcess, KillsTheWholeGroupWhenTimeIsUp) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path());
  const std::string witness = (folder.path() / "alive").native();
  const auto start = Clock::now();

  const ChildResult result =
      shell("echo begun; (sleep 1; touch " + witness + ") & sleep 60", milliseconds(200));

  EXPECT_EQ(result.end, ChildEnd::kTimedOut);
  EXPECT_EQ(result.output, "begun\n");
  EXPECT_LT(Clock::now() - start, seconds(20));
  std::this_thread::sleep_for(seconds(2));
  EXPECT_FALSE(std::filesystem::exists(witness)) << "a grandchild lives on";
}

TEST(ChildProcess, DoesNotWaitForGrandchildren) {
  const auto start = Clock::now();

  const ChildResult result = shell("sleep 60 & exit 4");

  EXPECT_EQ(result.code, 4);
  EXPECT_LT(Clock::now() - start, seconds(20));
}

TEST(ChildProcess, StopsAChildThatNeverStopsWriting) {
  const ChildResult result = shell("yes & yes & yes & yes", milliseconds(300));

  EXPECT_EQ(result.end, ChildEnd::kTimedOut);
  EXPECT_LE(result.output.size(), 64U << 10);
}

TEST(ChildProcess, KeepsTheStartOfOutputAndTheEndOfErrors) {
  const ChildResult result =
      shell("i=0; while [ $i -lt 20000 ]; do echo $i; echo $i >&2; i=$((i+1)); done");

  EXPECT_EQ(result.output.size(), 64U << 10);
  EXPECT_EQ(result.output.substr(0, 4), "0\n1\n");
  EXPECT_EQ(result.errors.size(), 4U << 10);
  EXPECT_EQ(result.errors.substr(result.errors.size() - 6), "19999\n");
}

TEST(ChildProcess, GivesTheChildNoInputAndNoneOfOurFiles) {
  // Without O_CLOEXEC, as a library that does not know of us would open it.
  const int leaked = ::open("/dev/null", O_RDONLY);
  ASSERT_GE(leaked, 3);

  const ChildResult result =
      shell("cat; [ -e /proc/self/fd/" + std::to_string(leaked) + " ] && echo leaked; exit 0");

  ::close(leaked);
  EXPECT_EQ(result.output, "");
}

TEST(ChildProcess, WorksWhereTheHostIgnoresItsChildren) {
  auto* const old_handler = std::signal(SIGCHLD, SIG_IGN);

  const ChildResult good = shell("exit 5");
  const ChildResult bad = shell("echo failed; exit 5");

  std::signal(SIGCHLD, old_handler);
  EXPECT_EQ(good.code, 0) << "nobody can know the status";
  EXPECT_EQ(bad.code, 1);
}

TEST(ChildProcess, GivesTheChildDefaultSignals) {
  auto* const old_handler = std::signal(SIGPIPE, SIG_IGN);

  const ChildResult result = shell("kill -PIPE $$; exit 0");

  std::signal(SIGPIPE, old_handler);
  EXPECT_EQ(result.end, ChildEnd::kSignalled);
}

TEST(ChildProcess, SaysThatAProgramCannotBeStarted) {
  test::expect_error(ErrorCode::kIoRead, "cannot start /nonexistent/program: No such file", [] {
    (void)run_child("/nonexistent/program", {}, seconds(1));
  });
}

}  // namespace
}  // namespace fovea
