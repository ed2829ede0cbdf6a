#include "engine/importers/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/core/descriptor.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kMaxOutputBytes = 64 << 10;
constexpr std::size_t kMaxErrorBytes = 4 << 10;

[[noreturn]] void fail(const std::filesystem::path& program, int error_number) {
  throw Error(
      ErrorCode::kIoRead,
      cat("cannot start ", program.native(), ": ", std::generic_category().message(error_number)));
}

/// Both ends of a pipe; neither is inherited by other children.
struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

Pipe make_pipe(const std::filesystem::path& program) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(program, errno);
  (void)::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// What posix_spawn does between fork and exec.
class SpawnSettings {
 public:
  SpawnSettings(int output, int errors) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    ::posix_spawnattr_init(&attributes_);
    ::sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }

  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  [[nodiscard]] const ::posix_spawn_file_actions_t* actions() const { return &actions_; }

  [[nodiscard]] const ::posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  ::posix_spawn_file_actions_t actions_{};
  ::posix_spawnattr_t attributes_{};
};

::pid_t spawn(const std::filesystem::path& program,
              std::vector<std::string> arguments,
              const SpawnSettings& settings) {
  std::string name = program.native();
  std::vector<char*> argv{name.data()};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::pid_t child = -1;
  const int error_number = ::posix_spawnp(
      &child, name.c_str(), settings.actions(), settings.attributes(), argv.data(), environ);
  if (error_number != 0) fail(program, error_number);
  return child;
}

/// Takes what is there without waiting; false at the end of the stream. Stops after a while, so
/// that a child that never stops writing is not read beyond its time.
template <typename Take>
bool drain(int descriptor, const Take& take) {
  std::array<char, 4096> buffer{};
  for (int i = 0; i < 64; ++i) {
    const ::ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count > 0) {
      take(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
    } else if (count == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN;
    }
  }
  return true;
}

/// A child that is killed with its group and reaped unless its end was seen.
class Child {
 public:
  explicit Child(::pid_t pid) : pid_(pid) {}

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  ~Child() {
    if (ended_) return;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  /// Whether it has ended; `result` then says how.
  bool ended(ChildResult& result) {
    int status = 0;
    const ::pid_t pid = ::waitpid(pid_, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR)) return false;
    ended_ = true;
    if (pid < 0) {
      status_lost_ = true;
    } else if (WIFSIGNALED(status)) {
      result.end = ChildEnd::kSignalled;
      result.code = WTERMSIG(status);
    } else {
      result.code = WEXITSTATUS(status);
    }
    return true;
  }

  /// Where the host ignores its children the system keeps no status: a child that said something is
  /// then taken to have failed. Only known once all of its output is there.
  void guess_lost_status(ChildResult& result) const {
    if (status_lost_) result.code = result.output.empty() ? 0 : 1;
  }

 private:
  ::pid_t pid_;
  bool ended_ = false;
  bool status_lost_ = false;
};

/// The child's two streams.
class Streams {
 public:
  Streams(Descriptor output, Descriptor errors)
      : output_(std::move(output)), errors_(std::move(errors)) {}

  /// Waits until there is something to take, at most `limit`.
  void wait(milliseconds limit) {
    std::array<::pollfd, 2> polled{
        {{output_.get(), POLLIN, 0}, {errors_.get(), POLLIN, 0}}};  // -1 is passed over
    const bool open = output_.valid() || errors_.valid();
    // With both streams closed the child is about to end: nothing tells us, so look again soon.
    ::poll(polled.data(), polled.size(), static_cast<int>(open ? limit.count() : 1));
  }

  void take(ChildResult& result) {
    const auto first = [&](std::string_view text) {
      result.output += text.substr(0, kMaxOutputBytes - result.output.size());
    };
    const auto last = [&](std::string_view text) {
      result.errors += text;
      if (result.errors.size() > kMaxErrorBytes) {
        result.errors.erase(0, result.errors.size() - kMaxErrorBytes);
      }
    };
    if (output_.valid() && !drain(output_.get(), first)) output_ = Descriptor();
    if (errors_.valid() && !drain(errors_.get(), last)) errors_ = Descriptor();
  }

 private:
  Descriptor output_;
  Descriptor errors_;
};

}  // namespace

ChildResult run_child(const std::filesystem::path& program,
                      const std::vector<std::string>& arguments,
                      milliseconds limit,
                      const std::function<bool()>& stop) {
  Pipe output = make_pipe(program);
  Pipe errors = make_pipe(program);
  const Clock::time_point deadline = Clock::now() + limit;
  Child child(
      spawn(program, arguments, SpawnSettings(output.write_end.get(), errors.write_end.get())));
  output.write_end = Descriptor();
  errors.write_end = Descriptor();
  Streams streams(std::move(output.read_end), std::move(errors.read_end));

  // Grandchildren may keep the streams open, so the end of the child counts, not theirs.
  constexpr milliseconds kLook{20};
  ChildResult result;
  while (true) {
    const bool ended = child.ended(result);
    streams.take(result);
    if (ended) {
      child.guess_lost_status(result);
      return result;
    }
    if (stop && stop()) {
      result.end = ChildEnd::kStopped;
      return result;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left <= milliseconds::zero()) break;
    streams.wait(std::min(left, kLook));
  }
  result.end = ChildEnd::kTimedOut;
  return result;
}

}  // namespace fovea
