// A lock between processes that costs work, not correctness, when it fails.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "engine/core/descriptor.h"

namespace fovea {

/// Holds an exclusive lock on a file, which it creates and removes. Advisory and best effort: after
/// `patience`, or where the file cannot be created or locked, it goes on without; so use it only to
/// save work that may be done twice. Excludes threads as well as processes.
class FileLock {
 public:
  FileLock(const std::filesystem::path& path, std::chrono::milliseconds patience);

  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

  [[nodiscard]] bool held() const { return held_; }

 private:
  std::string path_;
  Descriptor file_;
  bool held_ = false;
};

}  // namespace fovea
