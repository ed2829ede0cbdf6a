#include "engine/core/file.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/errors.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

class FileTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }

  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()));
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
};

TEST_F(FileTest, ReadsBackWhatWasWritten) {
  const std::string text("a\0b\n\xff", 5);

  write_file_atomic(path("x"), text);

  EXPECT_EQ(read_text_file(path("x")), text);
  EXPECT_EQ(read_file(path("x")).size(), 5U);
  EXPECT_EQ(MappedFile::open(path("x"))->bytes().size(), 5U);
  EXPECT_EQ(entries(), 1U) << "a temporary file was left behind";
}

TEST_F(FileTest, ReadsInPiecesAndOnlyTheStart) {
  const std::string text(3'000'000, 'x');
  write_file_atomic(path("x"), text);
  std::size_t size = 0;

  read_pieces(path("x"), {}, [&](std::span<const std::byte> piece) { size += piece.size(); });

  EXPECT_EQ(size, text.size());
  EXPECT_EQ(read_start(path("x"), 4), "xxxx");
  EXPECT_EQ(read_start(path("x"), 4'000'000), text);
  expect_error(ErrorCode::kModelLimit, "at most 9 bytes", [&] {
    read_pieces("/proc/self/status", {9, ErrorCode::kModelLimit}, [](auto) {});
  });
}

TEST_F(FileTest, ReadsAndMapsAnEmptyFile) {
  write_file_atomic(path("x"), std::string_view());

  EXPECT_TRUE(read_file(path("x")).empty());
  EXPECT_TRUE(MappedFile::open(path("x"))->bytes().empty());
}

TEST_F(FileTest, ReadsAFileWhoseLengthOnRecordIsZero) {
  EXPECT_NE(read_text_file("/proc/self/status").find("VmPeak"), std::string::npos);
}

TEST_F(FileTest, RefusesAFileOverTheLimitWithTheLimitsCode) {
  write_file_atomic(path("x"), std::string_view("12345"));

  EXPECT_EQ(read_file(path("x"), {5, ErrorCode::kModelLimit}).size(), 5U);
  expect_error(ErrorCode::kModelLimit, "at most 4 bytes", [&] {
    (void)read_file(path("x"), {4, ErrorCode::kModelLimit});
  });
  expect_error(ErrorCode::kModelLimit, "at most 4 bytes", [&] {
    (void)MappedFile::open(path("x"), {4, ErrorCode::kModelLimit});
  });
  // /proc files say that they are empty, so the limit has to hold while reading as well.
  expect_error(
      ErrorCode::kIoRead, "at most 9 bytes", [&] { (void)read_file("/proc/self/status", {9}); });
}

TEST_F(FileTest, RefusesWhatIsNoRegularFileWithoutWaiting) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);

  expect_error(ErrorCode::kIoRead, "not a regular file", [&] { (void)read_file(path("fifo")); });
  expect_error(ErrorCode::kIoRead, "a folder", [&] { (void)MappedFile::open(folder_.path()); });
  expect_error(ErrorCode::kIoRead, "No such file", [&] { (void)read_file(path("absent")); });
}

TEST_F(FileTest, WritesNothingInPlaceOfAFifoOrFolder) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  fs::create_directory(path("folder"));

  for (const char* name : {"fifo", "folder"}) {
    expect_error(ErrorCode::kIoWrite, "not a regular file", [&] {
      write_file_atomic(path(name), std::string_view("x"));
    });
  }

  EXPECT_TRUE(fs::is_fifo(path("fifo")));
}

TEST_F(FileTest, AMappingOutlivesTheFile) {
  write_file_atomic(path("x"), std::string_view("old"));
  const auto mapped = MappedFile::open(path("x"));

  write_file_atomic(path("x"), std::string_view("newer"));
  EXPECT_EQ(mapped->bytes().size(), 3U);
  fs::remove(path("x"));

  EXPECT_EQ(static_cast<char>(mapped->bytes()[0]), 'o');
}

TEST_F(FileTest, AnUncommittedFileLeavesTheOldOneAndNothingElse) {
  write_file_atomic(path("x"), std::string_view("old"));

  {
    AtomicFile file(path("x"));
    file.write("half of the n");
  }

  EXPECT_EQ(read_text_file(path("x")), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FileTest, AReplacedFileIsNeverSeenHalf) {
  const std::string first(1 << 16, 'a');
  const std::string second(1 << 18, 'b');
  write_file_atomic(path("x"), first);
  std::jthread writer([&] {
    for (int i = 0; i < 50; ++i) write_file_atomic(path("x"), i % 2 == 0 ? second : first);
  });

  for (int i = 0; i < 300; ++i) {
    const std::string seen = read_text_file(path("x"));
    ASSERT_TRUE(seen == first || seen == second) << seen.size() << " bytes";
  }
}

TEST_F(FileTest, ReportsAFolderThatIsAbsent) {
  expect_error(ErrorCode::kIoWrite, "there is no folder", [&] {
    write_file_atomic(path("absent/x"), std::string_view("1"));
  });
  expect_error(
      ErrorCode::kIoWrite, "No such file", [&] { const TemporaryFolder folder(path("absent")); });
}

/// So that a process that is killed leaves nothing behind either.
TEST_F(FileTest, HasNoNameBeforeItIsComplete) {
  const int unnamed = ::open(folder_.path().c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
  if (unnamed < 0) GTEST_SKIP() << "this file system has no files without a name";
  ::close(unnamed);
  AtomicFile file(path("x"));
  file.write(std::string_view("12"));
  file.overwrite(0, std::as_bytes(std::span("3", 1)));

  EXPECT_EQ(entries(), 0U);
  EXPECT_EQ(static_cast<char>(file.map()->bytes()[0]), '3');

  file.commit();

  EXPECT_EQ(entries(), 1U);
  EXPECT_EQ(read_text_file(path("x")), "32");
}

TEST_F(FileTest, ReportsAWriteThatStopsHalfWay) {
  struct rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const struct rlimit small{1000, old_limit.rlim_max};
  auto* const old_handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);

  const std::string thrown =
      test::error_of([&] { write_file_atomic(path("x"), std::string(2000, 'x')); });

  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(thrown.rfind("io/write: cannot write", 0), 0U) << thrown;
  EXPECT_EQ(entries(), 0U);
}

constexpr int kNotPermitted = 77;

/// Makes this process see a file system of 64 KiB at `folder`; no other process does.
bool mount_small_disk(const fs::path& folder) {
  const auto one_id = [](unsigned id) { return "0 " + std::to_string(id) + " 1"; };
  const std::string user = one_id(::getuid());
  const std::string group = one_id(::getgid());
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    std::ofstream("/proc/self/uid_map") << user;
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/gid_map") << group;
  }
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("none", folder.c_str(), "tmpfs", 0, "size=64k") == 0;
}

/// Exit status of a child process that writes more than that file system holds.
int write_to_a_full_disk(const fs::path& folder) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!mount_small_disk(folder)) ::_exit(kNotPermitted);
    const std::string thrown = test::error_of(
        [&] { write_file_atomic(folder / "x", std::string(std::size_t{1} << 20, 'x')); });
    ::_exit(thrown.rfind("io/no-space: ", 0) == 0 && fs::is_empty(folder) ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(FileTest, ReportsAFullDisk) {
  const int status = write_to_a_full_disk(folder_.path());

  if (status == kNotPermitted) GTEST_SKIP() << "no permission to mount a small file system";
  EXPECT_EQ(status, 0);
}

TEST_F(FileTest, ATemporaryFolderIsPrivateAndGoesWithItsContent) {
  fs::path inside;

  {
    const TemporaryFolder folder(folder_.path(), "mine-");
    inside = folder.path();
    fs::create_directories(inside / "a" / "b");
    write_file_atomic(inside / "a" / "x", std::string_view("1"));
    EXPECT_EQ(fs::status(inside).permissions(), fs::perms::owner_all);
    EXPECT_EQ(inside.filename().native().rfind("mine-", 0), 0U);
  }

  EXPECT_FALSE(fs::exists(inside));
}

}  // namespace
}  // namespace fovea
