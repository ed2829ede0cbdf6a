#include "apps/fovea/interrupt.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>

#include <sys/eventfd.h>
#include <unistd.h>

#include <fovea/error.h>

namespace fovea::app {

namespace {

volatile std::sig_atomic_t noted = 0;
int descriptor = -1;

extern "C" void note_interrupt(int /*signal*/) {
  const int old_errno = errno;
  noted = 1;
  const std::uint64_t one = 1;
  // Cannot fail: the counter of a new eventfd takes a one.
  [[maybe_unused]] const ssize_t written = ::write(descriptor, &one, sizeof one);
  errno = old_errno;
}

}  // namespace

void catch_interrupt() {
  descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) {
    throw Error(ErrorCode::kIoRead,
                std::string("cannot watch for Ctrl-C: ") + std::strerror(errno));
  }
  struct sigaction action{};
  action.sa_handler = note_interrupt;
  // SA_RESTART: a write of a row that waits for its reader must not fail; poll() ends all the same.
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
}

bool interrupted() {
  return noted != 0;
}

int interrupt_descriptor() {
  return descriptor;
}

}  // namespace fovea::app
