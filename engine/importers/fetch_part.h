// The part of a download that has arrived.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>

#include "engine/core/descriptor.h"

namespace fovea {

/// TARGET.part, beside its target, to which it is renamed when it is complete. What was appended
/// stays for the next download, however this process ends. Locked as long as the object lives, so
/// there is one writer; the lock is on the file itself rather than a FileLock, because two writers
/// would cost more than work: they would mix their bytes. (A file system without locks has none.)
/// Every function throws Error: io/no-space or io/write. Not thread-safe.
class PartFile {
 public:
  /// Opens or creates the part of `target`, whose folder must exist. While another process or
  /// thread has it, calls `waiting` every few hundredths of a second, which may throw. Returns
  /// nothing once `is_there` says that the target is complete.
  [[nodiscard]] static std::optional<PartFile> open(const std::filesystem::path& target,
                                                    const std::function<bool()>& is_there,
                                                    const std::function<void()>& waiting);

  PartFile(PartFile&& other) noexcept = default;
  PartFile& operator=(PartFile&&) = delete;
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  /// Removes a part without bytes.
  ~PartFile();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  [[nodiscard]] std::uint64_t size() const { return size_; }

  void append(std::span<const std::byte> bytes);

  /// Drops all bytes.
  void clear();

  /// Syncs and renames it to the target; nothing may be called afterwards.
  void commit();

 private:
  PartFile(Descriptor file, std::filesystem::path target, std::filesystem::path path);

  Descriptor file_;
  std::filesystem::path target_;
  std::filesystem::path path_;
  std::uint64_t size_ = 0;
};

}  // namespace fovea
