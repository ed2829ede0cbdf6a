#include "apps/fovea/interrupt.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include <fovea/error.h>

namespace fovea::app {

namespace {

std::atomic<bool> noted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler takes no lock");
int descriptor = -1;
bool caught = false;

extern "C" void note_interrupt(int /*signal*/) {
  const int old_errno = errno;
  noted = true;
  const std::uint64_t one = 1;
  // Cannot fail: the counter of a new eventfd takes a one.
  [[maybe_unused]] const ssize_t written = ::write(descriptor, &one, sizeof one);
  errno = old_errno;
}

}  // namespace

void catch_interrupt() {
  if (caught || noted) return;
  if (descriptor < 0) descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) {
    throw Error(ErrorCode::kIoRead,
                std::string("cannot watch for Ctrl-C: ") + std::strerror(errno));
  }
  struct sigaction action{};
  ::sigaction(SIGINT, nullptr, &action);
  if (action.sa_handler == SIG_IGN) return;  // as for a job in a script's background
  action = {};
  action.sa_handler = note_interrupt;
  // SA_RESTART: a write of a row that waits for its reader must not fail; poll() ends all the same.
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  caught = true;
  ::sigaction(SIGINT, &action, nullptr);
}

void release_interrupt() {
  if (std::exchange(caught, false)) ::signal(SIGINT, SIG_DFL);
  if (noted) throw Interrupted{};
}

bool interrupted() {
  return noted;
}

int interrupt_descriptor() {
  return descriptor;
}

}  // namespace fovea::app
