// Hashes that are computed once per file.
#include "engine/importers/known_digests.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "engine/core/file.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class KnownDigests : public testing::Test {
 protected:
  KnownDigests() {
    ::setenv("FOVEA_HOME", home().c_str(), 1);
    write("content");
  }

  void write(const std::string& text) const {
    // In place: the inode stays.
    std::ofstream(file(), std::ios::binary) << text;
  }

  /// Whatever was computed last is told from what was known by its number.
  std::string ask(std::chrono::milliseconds settled = 0ms, std::string_view algorithm = "sha256") {
    return known_digest(file(), algorithm, [this] { return std::to_string(++computed_); }, settled);
  }

  [[nodiscard]] fs::path home() const { return folder_.path() / "home"; }

  [[nodiscard]] fs::path file() const { return folder_.path() / "file"; }

  [[nodiscard]] fs::path record() const {
    return fs::directory_iterator(home() / "digests")->path();
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  int computed_ = 0;
};

TEST_F(KnownDigests, AreComputedOnce) {
  EXPECT_EQ(ask(), "1");
  EXPECT_EQ(ask(), "1");
  EXPECT_EQ(ask(0ms, "md5"), "2") << "another algorithm";
  EXPECT_EQ(ask(), "1");
}

TEST_F(KnownDigests, AreForgottenWithEveryChange) {
  EXPECT_EQ(ask(), "1");
  write("CONTENT");
  EXPECT_EQ(ask(), "2") << "the same size";

  // Back to the time that it had before: only the time of the attributes' change tells.
  const auto time = fs::last_write_time(file());
  write("content");
  fs::last_write_time(file(), time);
  EXPECT_EQ(ask(), "3");

  fs::copy_file(file(), folder_.path() / "copy");
  fs::rename(folder_.path() / "copy", file());
  EXPECT_EQ(ask(), "4") << "another file of that name";
}

TEST_F(KnownDigests, FollowAFileThatIsMoved) {
  EXPECT_EQ(ask(), "1");
  fs::create_hard_link(file(), folder_.path() / "link");
  (void)ask();
  const int before = computed_;

  const std::string digest = known_digest(
      folder_.path() / "link", "sha256", [this] { return std::to_string(++computed_); }, 0ms);

  EXPECT_EQ(computed_, before);
  EXPECT_EQ(digest, std::to_string(before));
}

TEST_F(KnownDigests, AreNotKeptOfAFileThatMayStillChange) {
  EXPECT_EQ(ask(1h), "1");
  EXPECT_EQ(ask(1h), "2");
  EXPECT_FALSE(fs::exists(home() / "digests"));
}

TEST_F(KnownDigests, AreNotKeptWhereTheFileChangesMeanwhile) {
  const auto compute = [this] {
    write("something longer than before");
    return std::string("old");
  };

  EXPECT_EQ(known_digest(file(), "sha256", compute, 0ms), "old");

  EXPECT_EQ(ask(), "1");
}

TEST_F(KnownDigests, AreNotTakenFromADamagedRecord) {
  EXPECT_EQ(ask(), "1");
  const std::string whole = read_text_file(record());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    write_file_atomic(record(), std::string_view(damaged));
    const int before = computed_;
    (void)ask();
    EXPECT_EQ(computed_, before + 1) << "byte " << i;
  }
}

TEST_F(KnownDigests, WorkWithoutACache) {
  write_file_atomic(folder_.path() / "no-folder", std::string_view("x"));
  ::setenv("FOVEA_HOME", (folder_.path() / "no-folder").c_str(), 1);

  EXPECT_EQ(ask(), "1");
  EXPECT_EQ(ask(), "2");
}

}  // namespace
}  // namespace fovea
