#include "engine/importers/fetch_part.h"

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/core/file.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

constexpr std::chrono::milliseconds kPause{20};

/// Whether the path still names the open file: whoever had it before may have renamed it.
bool names(const std::filesystem::path& path, const Descriptor& file) {
  struct stat by_name{};
  struct stat open{};
  return ::stat(path.c_str(), &by_name) == 0 && ::fstat(file.get(), &open) == 0 &&
         by_name.st_dev == open.st_dev && by_name.st_ino == open.st_ino;
}

/// Whether nobody else has the lock; also true where there can be none.
bool lock(const Descriptor& file) {
  return ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 || (errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace

std::optional<PartFile> PartFile::open(const std::filesystem::path& target,
                                       const std::function<bool()>& is_there,
                                       const std::function<void()>& waiting) {
  const std::filesystem::path path = target.native() + ".part";
  while (!is_there()) {
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (!file.valid()) fail_writing(path, errno);
    if (!lock(file)) {
      waiting();
      std::this_thread::sleep_for(kPause);
    } else if (names(path, file)) {
      PartFile part(std::move(file), target, path);
      // The target may have appeared, and our part be a new one, since it was looked for.
      if (!is_there()) return part;
      part.clear();
    }
  }
  return std::nullopt;
}

PartFile::PartFile(Descriptor file, std::filesystem::path target, std::filesystem::path path)
    : file_(std::move(file)), target_(std::move(target)), path_(std::move(path)) {
  struct stat status{};
  if (::fstat(file_.get(), &status) != 0) fail_writing(path_, errno);
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::kIoWrite,
                cat("cannot write ", path_.native(), ": it is not a regular file"));
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

PartFile::~PartFile() {
  if (file_.valid() && size_ == 0) ::unlink(path_.c_str());
}

void PartFile::append(std::span<const std::byte> bytes) {
  write_all(file_, path_, bytes);
  size_ += bytes.size();
}

void PartFile::clear() {
  if (::ftruncate(file_.get(), 0) != 0) fail_writing(path_, errno);
  size_ = 0;
}

void PartFile::commit() {
  sync_file(file_, path_);
  if (::rename(path_.c_str(), target_.c_str()) != 0) fail_writing(target_, errno);
  file_ = Descriptor();
  sync_folder(target_.parent_path());
}

}  // namespace fovea
