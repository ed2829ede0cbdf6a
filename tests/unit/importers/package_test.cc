#include "engine/importers/package.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/core/file.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

Package small_package() {
  Package package;
  Graph& graph = package.graph;
  const Value x = graph.add(Input{{DType::kFloat32, {kBatch, 3}}}, {}, "x");
  const Value w = graph.add(
      Constant{{DType::kFloat32, {2, 3}}, Buffer::from(std::vector<std::byte>(24, std::byte{7}))},
      {},
      "w");
  const Value scores = graph.add(Dense{}, {x, w}, "scores");
  graph.mark_output(graph.add(Softmax{}, {scores}, "p"), "probabilities");
  graph.mark_output(scores);
  package.manifest.name = "small";
  package.manifest.input = "x";
  package.manifest.outputs = {{"probabilities", OutputKind::kProbabilities},
                              {"scores", OutputKind::kLogits}};
  return package;
}

/// A package that is found out while it is being written.
Package unwritable_package() {
  Package package = small_package();
  package.graph.rename(0, "\xff");
  package.manifest.input = "\xff";
  return package;
}

using Names = std::vector<std::string>;

Names names_in(const fs::path& folder) {
  Names names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

/// Writing more than a few bytes into a file fails as long as this lives.
class ShortFiles {
 public:
  ShortFiles() {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, SIG_IGN);
    const ::rlimit low{8, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &low);
  }

  ShortFiles(const ShortFiles&) = delete;
  ShortFiles& operator=(const ShortFiles&) = delete;

  ~ShortFiles() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, SIG_DFL);
  }

 private:
  ::rlimit old_{};
};

class PackageTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path path() const { return folder_.path() / "package"; }

  [[nodiscard]] std::string read(const std::string& name) const {
    return read_text_file(path() / name);
  }

  /// Replaces `from` by `to` once in a file of the package.
  void edit(const std::string& name, const std::string& from, const std::string& to) const {
    std::string text = read(name);
    ASSERT_NE(text.find(from), std::string::npos);
    text.replace(text.find(from), from.size(), to);
    write_file_atomic(path() / name, text);
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
};

TEST_F(PackageTest, LoadsWhatWasSaved) {
  save_package(path(), small_package());

  for (const fs::path& name : {path(), path() / "manifest.json", path() / ""}) {
    const Package loaded = load_package(name);

    loaded.graph.verify();
    EXPECT_EQ(loaded.graph.size(), 4);
    EXPECT_EQ(loaded.graph.node(loaded.graph.find("w")).op,
              small_package().graph.node(small_package().graph.find("w")).op);
    EXPECT_EQ(loaded.manifest.outputs, small_package().manifest.outputs);
    EXPECT_EQ(loaded.manifest.files.size(), 2U);
  }
}

TEST_F(PackageTest, SavesTheSameBytesEveryTime) {
  save_package(path(), small_package());
  save_package(folder_.path() / "again", small_package());

  for (const char* name : {"manifest.json", "graph.json", "weights.safetensors"}) {
    EXPECT_EQ(read(name), read_text_file(folder_.path() / "again" / name)) << name;
  }
}

TEST_F(PackageTest, OutlivesItsFolder) {
  save_package(path(), small_package());
  const Package loaded = load_package(path());

  fs::remove_all(path());

  const auto* w = loaded.graph.node(loaded.graph.find("w")).as<Constant>();
  EXPECT_TRUE(std::ranges::all_of(w->data->read(), [](auto b) { return b == std::byte{7}; }));
}

TEST_F(PackageTest, CarriesALabelFile) {
  Package package = small_package();
  package.manifest.labels = "labels/mine.json";
  package.labels = "[\"cat\", \"dog\"]";

  save_package(path(), package);

  EXPECT_EQ(load_package(path()).labels, package.labels);
  fs::remove(path() / "labels" / "mine.json");
  expect_error(ErrorCode::kModelCorrupt, "mine.json", [&] { (void)load_package(path()); });
}

TEST_F(PackageTest, SaysWhatIsMissing) {
  expect_error(ErrorCode::kModelNotFound, "manifest.json", [&] { (void)load_package(path()); });

  for (const char* name : {"graph.json", "weights.safetensors"}) {
    fs::remove_all(path());
    save_package(path(), small_package());
    fs::remove(path() / name);
    expect_error(ErrorCode::kModelCorrupt, name, [&] { (void)load_package(path()); });
  }
}

TEST_F(PackageTest, NoticesEveryDamagedByteOfGraphAndWeights) {
  save_package(path(), small_package());

  for (const char* name : {"graph.json", "weights.safetensors"}) {
    const std::string good = read(name);
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string damaged = good;
      damaged[i] = static_cast<char>(damaged[i] ^ 1);
      std::ofstream(path() / name, std::ios::binary) << damaged;
      ASSERT_THROW((void)load_package(path()), Error) << name << " byte " << i;
    }
    write_file_atomic(path() / name, good);
  }
  EXPECT_NO_THROW((void)load_package(path()));
}

TEST_F(PackageTest, AllowsEditsThatItsOwnerSaysAreOnPurpose) {
  save_package(path(), small_package());
  edit("graph.json", "\"probabilities\"", "\"answer\"");
  edit("manifest.json", "\"probabilities\"", "\"answer\"");
  expect_error(ErrorCode::kModelCorrupt, "'files'", [&] { (void)load_package(path()); });

  edit("manifest.json", "\"graph.json\"", "\"unused.json\"");

  EXPECT_EQ(load_package(path()).graph.outputs()[0].name, "answer");
}

TEST_F(PackageTest, RefusesAManifestThatDoesNotFitItsGraph) {
  Package package = small_package();
  package.manifest.input = "w";
  expect_error(
      ErrorCode::kArgumentInvalid, "'w' is no input", [&] { save_package(path(), package); });

  save_package(path(), small_package());
  edit("manifest.json", "\"input\": \"x\"", "\"input\": \"y\"");
  expect_error(ErrorCode::kModelCorrupt, "'y' is no input", [&] { (void)load_package(path()); });
  edit("manifest.json", "\"input\": \"y\"", "\"input\": \"x\"");
  edit("manifest.json", "\"name\": \"scores\"", "\"name\": \"other\"");
  expect_error(ErrorCode::kModelCorrupt, "2 outputs are not the graph's 2", [&] {
    (void)load_package(path());
  });
}

TEST_F(PackageTest, NeverWritesIntoAFolderThatIsInUse) {
  fs::create_directories(path());
  write_file_atomic(path() / "mine.txt", std::string_view("keep"));

  expect_error(ErrorCode::kIoWrite, "not empty", [&] { save_package(path(), small_package()); });

  EXPECT_EQ(read("mine.txt"), "keep");
}

TEST_F(PackageTest, LeavesNothingBehindWhenItCannotBeWritten) {
  for (const bool is_there : {false, true}) {
    if (is_there) fs::create_directory(path());

    EXPECT_THROW(save_package(path(), unwritable_package()), Error);

    EXPECT_EQ(fs::exists(path()), is_there) << "neither made nor removed";
    EXPECT_EQ(names_in(folder_.path()), is_there ? Names{"package"} : Names{});
  }
  EXPECT_EQ(names_in(path()), Names{});
}

TEST_F(PackageTest, FillsAnEmptyFolderAndLeavesItTheUsers) {
  fs::create_directory(path());
  fs::permissions(path(), fs::perms::owner_all);
  const fs::path link = folder_.path() / "link";
  fs::create_directory_symlink(path(), link);

  EXPECT_THROW(save_package(link, unwritable_package()), Error);
  save_package(link, small_package());

  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(fs::status(path()).permissions(), fs::perms::owner_all);
  EXPECT_EQ(names_in(path()), (Names{"graph.json", "manifest.json", "weights.safetensors"}));
  EXPECT_EQ(load_package(path()).graph.size(), 4);
}

TEST_F(PackageTest, TakesEverySpellingOfAFolder) {
  for (const char* name : {"a/", "b/.", "c/./", "d/e/f"}) {
    save_package(folder_.path() / name, small_package());

    EXPECT_EQ(load_package(folder_.path() / name).graph.size(), 4) << name;
  }
  expect_error(ErrorCode::kArgumentInvalid, "empty", [] { save_package("", small_package()); });
}

TEST_F(PackageTest, NeverReplacesWhatIsNoFolder) {
  write_file_atomic(path(), std::string_view("mine"));
  const fs::path link = folder_.path() / "link";
  fs::create_symlink("nowhere", link);

  for (const fs::path& name : {path(), link}) {
    expect_error(ErrorCode::kIoWrite, "cannot create " + name.native(), [&] {
      save_package(name, small_package());
    });
  }

  EXPECT_EQ(read_text_file(path()), "mine");
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(names_in(folder_.path()), (Names{"link", "package"}));
}

TEST_F(PackageTest, NamesTheFolderThatWasAskedForWhereItCannotBeWritten) {
  for (const bool is_there : {false, true}) {
    if (is_there) fs::create_directory(path());

    const std::string error = test::error_of([&] {
      const ShortFiles limit;
      save_package(path(), small_package());
    });

    EXPECT_EQ(error.find("io/write: cannot write " + (path() / "graph.json: ").native()), 0U)
        << error;
  }
}

TEST_F(PackageTest, OfManyProcessesOneWrites) {
  constexpr int kProcesses = 8;
  for (int round = 0; round < 10; ++round) {
    if (round % 2 == 1) fs::create_directory(path());
    const auto start = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    std::vector<pid_t> children;
    for (int i = 0; i < kProcesses; ++i) {
      children.push_back(::fork());
      if (children.back() != 0) continue;
      while (std::chrono::steady_clock::now() < start) {  // all at once
      }
      const std::string error = test::error_of([&] { save_package(path(), small_package()); });
      ::_exit(error.empty() ? 0 : error.find("is not empty") != std::string::npos ? 1 : 2);
    }

    std::map<int, int> ends;  // how many by exit status
    for (const pid_t child : children) {
      int status = -1;
      ::waitpid(child, &status, 0);
      ++ends[WIFEXITED(status) ? WEXITSTATUS(status) : -1];
    }

    EXPECT_EQ(ends, (std::map<int, int>{{0, 1}, {1, kProcesses - 1}})) << "round " << round;
    EXPECT_EQ(load_package(path()).graph.size(), 4);
    EXPECT_EQ(names_in(folder_.path()), Names{"package"});
    EXPECT_EQ(names_in(path()).size(), 3U);
    fs::remove_all(path());
  }
}

TEST_F(PackageTest, NamesItsFilesWhereItIsTheCurrentFolder) {
  save_package(path(), small_package());
  edit("graph.json", "Softmax", "Sofamax");
  edit("manifest.json", "\"graph.json\"", "\"unused.json\"");
  const fs::path old = fs::current_path();
  fs::current_path(path());

  const std::string error = test::error_of([] { (void)load_package("manifest.json"); });

  fs::current_path(old);
  EXPECT_EQ(error.find("model/unsupported-op: graph.json"), 0U) << error;
}

}  // namespace
}  // namespace fovea
