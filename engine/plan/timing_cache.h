// Measured choices of tactics, kept between compilations and processes.
//
// One file per backend fingerprint: a line with a checksum, a line with the fingerprint, and the
// choices as choices_json. Its name is a hash of the fingerprint.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/plan/tactic_choices.h"

namespace fovea {

/// The cache of one backend. Nothing that is wrong with the files is fatal: it is told in notices()
/// and the cache then holds less. Any number of processes may use one folder at a time: files are
/// replaced as a whole, under a lock. One thread at a time uses one object.
class TimingCache {
 public:
  /// Reads what is there; the folder need not exist. A damaged file counts as an empty one.
  TimingCache(const std::filesystem::path& folder, std::string fingerprint);

  /// The choice for that signature, or null. Stays valid until add().
  [[nodiscard]] const Choice* find(const std::string& signature) const;

  /// Adds a choice, for save(); in place of one that find() gave, if there was one.
  void add(const std::string& signature, Choice choice);

  /// Writes what was added, together with what others have written meanwhile: their choices stay,
  /// so that all plans agree from then on, unless ours was measured more thoroughly. Returns false,
  /// with a notice, where nothing can be written.
  bool save();

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

  [[nodiscard]] const std::vector<std::string>& notices() const { return notices_; }

 private:
  [[nodiscard]] Choices read();

  std::filesystem::path file_;
  std::string fingerprint_;
  Choices choices_;
  Choices added_;
  std::vector<std::string> notices_;
};

}  // namespace fovea
