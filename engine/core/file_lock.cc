#include "engine/core/file_lock.h"

#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace fovea {

namespace {

constexpr std::chrono::milliseconds kPause{5};

}  // namespace

FileLock::FileLock(const std::filesystem::path& path, std::chrono::milliseconds patience)
    : path_(path.native()), file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  // Polled rather than waited for: a holder that is stopped must not stop everyone else.
  while (file_.valid() && !held_ && std::chrono::steady_clock::now() < deadline) {
    held_ = ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0;
    if (held_ || (errno != EWOULDBLOCK && errno != EINTR)) return;
    std::this_thread::sleep_for(kPause);
  }
}

FileLock::~FileLock() {
  // Those who wait for this file get it once it is closed; those who come later make a new one, and
  // may then work at the same time as the last of the former.
  if (held_) ::unlink(path_.c_str());
}

}  // namespace fovea
