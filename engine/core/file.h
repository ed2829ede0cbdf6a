// Files: reading within limits, mapping, and writing so that no reader ever sees half a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fovea/error.h>

#include "engine/core/descriptor.h"

namespace fovea {

/// The most bytes that a file may have, and the code of the error where it has more.
struct FileLimit {
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
  ErrorCode code = ErrorCode::kIoRead;
};

/// The whole content of a regular file.
/// Throws Error: io/read where it cannot be read or is no regular file, limit.code where it is too
/// long. Memory never exceeds the limit, even where the file grows meanwhile.
[[nodiscard]] std::vector<std::byte> read_file(const std::filesystem::path& path,
                                               const FileLimit& limit = {});

/// The same as text.
[[nodiscard]] std::string read_text_file(const std::filesystem::path& path,
                                         const FileLimit& limit = {});

/// Passes the content to `take`, piece by piece, in constant memory. Throws like read_file.
void read_pieces(const std::filesystem::path& path,
                 const FileLimit& limit,
                 const std::function<void(std::span<const std::byte>)>& take);

/// The first bytes of a regular file, at most `max_bytes`. Throws like read_file.
[[nodiscard]] std::string read_start(const std::filesystem::path& path, std::size_t max_bytes);

/// A regular file, mapped read-only; unmapped with the last owner, so it can be the owner of
/// Buffer::view. Removing or replacing the file does no harm; whoever shortens it in place while it
/// is mapped kills the process (SIGBUS), so our own files are only ever replaced. Thread-safe.
class MappedFile {
 public:
  /// Throws like read_file.
  [[nodiscard]] static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path,
                                                              const FileLimit& limit = {});

  /// The content; it starts at a multiple of the page size.
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

  explicit MappedFile(std::span<const std::byte> mapping) : bytes_(mapping) {}

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

 private:
  std::span<const std::byte> bytes_;
};

/// Throws Error for a write to `path` that failed with this errno: io/no-space where the disk or
/// quota is full, else io/write.
[[noreturn]] void fail_writing(const std::filesystem::path& path, int error_number);

/// Writes all bytes at the file's position; `path` names it in errors. Throws as fail_writing.
void write_all(const Descriptor& file,
               const std::filesystem::path& path,
               std::span<const std::byte> bytes);

/// Waits until the file is on the disk, where the file system can tell. Throws as fail_writing.
void sync_file(const Descriptor& file, const std::filesystem::path& path);

/// A file that appears under its name complete or not at all: written without a name in the
/// target's folder (where the file system has no such files: under a temporary one), synced, named,
/// renamed. Without a commit nothing stays behind, not even of a process that is killed. Not
/// thread-safe; writers of one target do not disturb each other, the last one wins.
class AtomicFile {
 public:
  /// The folder must exist, and the target may, as a regular file. Every function throws as
  /// fail_writing.
  explicit AtomicFile(std::filesystem::path target);

  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  /// Replaces bytes that were written already.
  void overwrite(std::uint64_t offset, std::span<const std::byte> bytes);

  /// What has been written so far; it stays readable after the commit, and after the destructor.
  [[nodiscard]] std::shared_ptr<const MappedFile> map() const;

  /// Makes the file appear; nothing may be written afterwards.
  void commit();

 private:
  std::filesystem::path target_;
  std::string temporary_;  ///< the name that it has until commit(); empty: none
  Descriptor descriptor_;
};

/// An AtomicFile in one call.
void write_file_atomic(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomic(const std::filesystem::path& path, std::string_view text);

/// Syncs a folder, so that a rename into it survives a power failure. Does nothing where the file
/// system cannot.
void sync_folder(const std::filesystem::path& folder) noexcept;

/// A new empty folder that only this user may enter; removed with everything in it by the
/// destructor.
class TemporaryFolder {
 public:
  /// Created in `parent`, which must exist, as `prefix` and six random characters.
  /// Throws Error: io/no-space or io/write.
  explicit TemporaryFolder(const std::filesystem::path& parent, std::string_view prefix = "fovea-");

  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace fovea
