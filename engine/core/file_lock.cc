#include "engine/core/file_lock.h"

#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fovea {

namespace {

constexpr std::chrono::milliseconds kPause{5};

/// Whether the open file is still the one of that name: its last holder may have removed it.
bool is_at(const Descriptor& file, const std::string& path) {
  struct stat opened{};
  struct stat named{};
  return ::fstat(file.get(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& path, std::chrono::milliseconds patience)
    : path_(path.native()) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  // Polled rather than waited for: a holder that is stopped must not stop everyone else.
  while (std::chrono::steady_clock::now() < deadline) {
    if (!file_.valid())
      file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!file_.valid()) return;
    const bool locked = ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno != EWOULDBLOCK && errno != EINTR) return;
    held_ = locked && is_at(file_, path_);
    if (held_) return;
    if (locked) {
      file_ = Descriptor();
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
}

FileLock::~FileLock() {
  // While it is held, so that whoever waits for this file, or opens it now, finds another one under
  // its name, or none, and begins anew.
  if (held_) ::unlink(path_.c_str());
}

}  // namespace fovea
