#include "engine/importers/package.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

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
  EXPECT_TRUE(std::ranges::all_of(w->data->bytes(), [](auto b) { return b == std::byte{7}; }));
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
  Package package = small_package();
  package.graph.rename(0, "\xff");
  package.manifest.input = "\xff";

  EXPECT_THROW(save_package(path(), package), Error);

  EXPECT_FALSE(fs::exists(path()));
}

}  // namespace
}  // namespace fovea
