#include "engine/core/file.h"

#include <cerrno>
#include <cstring>
#include <random>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/core/descriptor.h"
#include "engine/core/require.h"

namespace fovea {

namespace {

std::string reason(int error_number) {
  return std::generic_category().message(error_number);
}

/// A regular file opened for reading, and its length.
struct OpenFile {
  Descriptor descriptor;
  std::uint64_t bytes = 0;
};

[[noreturn]] void fail_reading(const std::filesystem::path& path, const std::string& why) {
  throw Error(ErrorCode::kIoRead, cat("cannot read ", path.native(), ": ", why));
}

[[noreturn]] void fail_too_long(const std::filesystem::path& path, const FileLimit& limit) {
  throw Error(limit.code,
              cat(path.native(), " is too long: at most ", limit.bytes, " bytes are read"));
}

OpenFile open_regular(const std::filesystem::path& path, const FileLimit& limit) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer before it is found to be no file.
  OpenFile file{Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK))};
  if (!file.descriptor.valid()) fail_reading(path, reason(errno));
  struct stat status{};
  if (::fstat(file.descriptor.get(), &status) != 0) fail_reading(path, reason(errno));
  if (S_ISDIR(status.st_mode)) fail_reading(path, "it is a folder");
  if (!S_ISREG(status.st_mode)) fail_reading(path, "it is not a regular file");
  file.bytes = static_cast<std::uint64_t>(status.st_size);
  if (file.bytes > limit.bytes) fail_too_long(path, limit);
  return file;
}

/// Bytes read, at most buffer.size(); 0 at the end of the file.
std::size_t read_some(const OpenFile& file,
                      const std::filesystem::path& path,
                      std::span<std::byte> buffer) {
  while (true) {
    const ::ssize_t count = ::read(file.descriptor.get(), buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) fail_reading(path, reason(errno));
  }
}

/// Reads until the end: the length on record is a hint, since files grow and /proc says 0.
template <typename Container>
Container read_all(const std::filesystem::path& path, const FileLimit& limit) {
  const OpenFile file = open_regular(path, limit);
  Container content;
  content.resize(static_cast<std::size_t>(file.bytes) + 1);
  std::size_t size = 0;
  while (true) {
    const auto rest = std::as_writable_bytes(std::span(content)).subspan(size);
    const std::size_t count = read_some(file, path, rest);
    if (count == 0) break;
    size += count;
    if (size > limit.bytes) fail_too_long(path, limit);
    if (size == content.size()) content.resize(2 * size);
  }
  content.resize(size);
  return content;
}

std::string random_suffix() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::uniform_int_distribution<std::size_t> pick(0, kLetters.size() - 1);
  std::string text;
  for (int i = 0; i < 12; ++i) text += kLetters[pick(random)];
  return text;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

std::string temporary_name(const std::filesystem::path& target) {
  return (folder_of(target) / cat(".fovea-", random_suffix())).native();
}

/// Where the kernel shows an open file.
std::string path_of(const Descriptor& file) {
  return cat("/proc/self/fd/", file.get());
}

/// A new file without a name in that folder's file system, which goes with the process, however
/// that ends. Invalid where the system has no such files, or no /proc to name one by later.
Descriptor open_unnamed(const std::filesystem::path& folder) {
  if (::access("/proc/self/fd", X_OK) != 0) return {};
  return Descriptor(::open(folder.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666));
}

ErrorCode write_code(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT ? ErrorCode::kIoNoSpace
                                                          : ErrorCode::kIoWrite;
}

}  // namespace

void fail_writing(const std::filesystem::path& path, int error_number) {
  throw Error(write_code(error_number),
              cat("cannot write ", path.native(), ": ", reason(error_number)));
}

void write_all(const Descriptor& file,
               const std::filesystem::path& path,
               std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ::ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_writing(path, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void sync_file(const Descriptor& file, const std::filesystem::path& path) {
  if (::fsync(file.get()) != 0 && errno != EINVAL && errno != ENOTSUP) fail_writing(path, errno);
}

std::vector<std::byte> read_file(const std::filesystem::path& path, const FileLimit& limit) {
  return read_all<std::vector<std::byte>>(path, limit);
}

std::string read_text_file(const std::filesystem::path& path, const FileLimit& limit) {
  return read_all<std::string>(path, limit);
}

void read_pieces(const std::filesystem::path& path,
                 const FileLimit& limit,
                 const std::function<void(std::span<const std::byte>)>& take) {
  const OpenFile file = open_regular(path, limit);
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  std::uint64_t size = 0;
  while (const std::size_t count = read_some(file, path, buffer)) {
    size += count;
    if (size > limit.bytes) fail_too_long(path, limit);
    take(std::span(buffer).first(count));
  }
}

std::string read_start(const std::filesystem::path& path, std::size_t max_bytes) {
  const OpenFile file = open_regular(path, {});
  std::string start(max_bytes, '\0');
  std::size_t size = 0;
  while (size < max_bytes) {
    const std::size_t count =
        read_some(file, path, std::as_writable_bytes(std::span(start)).subspan(size));
    if (count == 0) break;
    size += count;
  }
  start.resize(size);
  return start;
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path,
                                                   const FileLimit& limit) {
  const OpenFile file = open_regular(path, limit);
  if (file.bytes == 0) return std::make_shared<const MappedFile>(std::span<const std::byte>());
  const auto size = static_cast<std::size_t>(file.bytes);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor.get(), 0);
  if (address == MAP_FAILED) fail_reading(path, reason(errno));
  return std::make_shared<const MappedFile>(
      std::span(static_cast<const std::byte*>(address), size));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) {
    ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }
}

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  require(!target_.empty(), "a file to be written needs a name");
  // The rename would replace a device or FIFO, not write to it.
  struct stat status{};
  if (::stat(target_.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::kIoWrite,
                cat("cannot write ", target_.native(), ": it is not a regular file"));
  }
  descriptor_ = open_unnamed(folder_of(target_));
  if (descriptor_.valid()) return;
  temporary_ = temporary_name(target_);
  descriptor_ =
      Descriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (descriptor_.valid()) return;
  const int error = errno;
  if (error == ENOENT && ::stat(folder_of(target_).c_str(), &status) != 0) {
    throw Error(ErrorCode::kIoWrite,
                cat("cannot write ",
                    target_.native(),
                    ": there is no folder ",
                    folder_of(target_).native()));
  }
  fail_writing(target_, error);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  write_all(descriptor_, target_, bytes);
}

void AtomicFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text)));
}

void AtomicFile::overwrite(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ::ssize_t count =
        ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<::off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_writing(target_, errno);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::shared_ptr<const MappedFile> AtomicFile::map() const {
  return MappedFile::open(temporary_.empty() ? path_of(descriptor_) : temporary_);
}

void AtomicFile::commit() {
  sync_file(descriptor_, target_);
  if (temporary_.empty()) {
    // A link cannot replace what is there, so it takes a rename as well.
    const std::string name = temporary_name(target_);
    const std::string unnamed = path_of(descriptor_);
    if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      fail_writing(target_, errno);
    }
    temporary_ = name;
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail_writing(target_, errno);
  temporary_.clear();
  descriptor_ = Descriptor();
  sync_folder(folder_of(target_));
}

void write_file_atomic(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_file_atomic(const std::filesystem::path& path, std::string_view text) {
  write_file_atomic(path, std::as_bytes(std::span(text)));
}

void sync_folder(const std::filesystem::path& folder) noexcept {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.valid()) (void)::fsync(descriptor.get());
}

TemporaryFolder::TemporaryFolder(const std::filesystem::path& parent, std::string_view prefix) {
  std::string name = (parent / cat(prefix, "XXXXXX")).native();
  if (::mkdtemp(name.data()) == nullptr) {
    const int error_number = errno;
    throw Error(
        write_code(error_number),
        cat("cannot create a temporary folder in ", parent.native(), ": ", reason(error_number)));
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace fovea
