// The import program ends with the process that started it.
#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/core/descriptor.h"
#include "engine/importers/import_process.h"

namespace fovea {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read_end = Descriptor(ends[0]);
    write_end = Descriptor(ends[1]);
  }

  /// Until a writer has to wait.
  void fill() const {
    ::fcntl(write_end.get(), F_SETFL, O_NONBLOCK);
    const std::array<char, 4096> zeros{};
    while (::write(write_end.get(), zeros.data(), zeros.size()) > 0) {
    }
    ::fcntl(write_end.get(), F_SETFL, 0);
  }

  Descriptor read_end;
  Descriptor write_end;
};

/// Whether the process is the program (no longer its parent's copy) and in this state of proc(5).
bool program_is(pid_t process, const char* wanted) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string number;
  std::string name;
  std::string state;
  file >> number >> name >> state;
  return name == "(fovea-import)" && state == wanted;
}

bool program_waits(pid_t process) {
  return program_is(process, "S");
}

bool program_has_ended(pid_t process) {
  return program_is(process, "Z");
}

/// Waits until it is true, at most 20 s.
template <typename Condition>
bool wait_for(const Condition& condition) {
  const auto deadline = Clock::now() + seconds(20);
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

/// A process that starts the program with its output on `output` and is killed once `ready` says
/// so of the program; the program's id.
template <typename Ready>
pid_t start_and_leave(const std::string& program, int output, const Ready& ready) {
  const Pipe told;
  const pid_t parent = ::fork();
  if (parent == 0) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(output, STDOUT_FILENO);
      ::execl(program.c_str(), program.c_str(), "--help", nullptr);
      ::_exit(127);
    }
    const bool written = ::write(told.write_end.get(), &child, sizeof(child)) == sizeof(child);
    while (written) ::pause();
    ::_exit(1);
  }
  pid_t child = -1;
  EXPECT_EQ(::read(told.read_end.get(), &child, sizeof(child)), sizeof(child));
  EXPECT_TRUE(wait_for([&] { return ready(child); }));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  return child;
}

/// The status that the process ends with, which was left to us; -1 where it goes on.
int end_of(pid_t process) {
  int status = -1;
  if (!wait_for([&] { return ::waitpid(process, &status, WNOHANG) == process; })) {
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
    return -1;
  }
  return status;
}

class ImportProcessEnd : public testing::Test {
 protected:
  // The program is left to this process instead of to the system's first one.
  void SetUp() override { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

  void TearDown() override { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }
};

TEST_F(ImportProcessEnd, ComesWithTheEndOfItsParent) {
  const Pipe output;
  output.fill();  // so that the program waits, with its first line unwritten

  const pid_t child =
      start_and_leave(find_import_helper().native(), output.write_end.get(), program_waits);

  const int status = end_of(child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
}

TEST_F(ImportProcessEnd, ComesAtOnceWhereNobodyReadsItsOutput) {
  Pipe output;
  output.read_end = Descriptor();
  ::signal(SIGPIPE, SIG_IGN);  // inherited: else writing the first line would end it as well

  const pid_t child =
      start_and_leave(find_import_helper().native(), output.write_end.get(), program_has_ended);

  const int status = end_of(child);
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << status;
}

}  // namespace
}  // namespace fovea
