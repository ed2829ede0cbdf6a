// A Keras weights file through the program and the cache.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "engine/importers/import_cache.h"
#include "engine/importers/import_process.h"
#include "engine/importers/importer_version.h"
#include "tests/unit/import_worker/keras_testing.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

class KerasProgram : public test::KerasTest {
 protected:
  KerasProgram() {
    ::setenv("FOVEA_HOME", home().c_str(), 1);
    options_.warn = [this](const std::string& message) { warnings_.push_back(message); };
  }

  [[nodiscard]] fs::path home() const { return folder_.path() / "home"; }

  [[nodiscard]] WeightsPackage import_cached() const {
    return import_weights_cached(path(), options_);
  }

  /// Expects the import to end so, naming the file, and to leave nothing in the cache.
  void expect_error(ErrorCode code, const std::string& part) const {
    test::expect_error(code, part, [&] { (void)import_cached(); });
    test::expect_error(code, "weights.h5", [&] { (void)import_cached(); });
    EXPECT_TRUE(fs::is_empty(home() / "packages")) << part;
  }

  ImportOptions options_;
  std::vector<std::string> warnings_;
};

TEST_F(KerasProgram, ImportsOnceAndThenMaps) {
  write_keras_file(path(), three_layers());

  const WeightsPackage first = import_cached();
  const fs::path program = find_import_helper();
  ::setenv("FOVEA_IMPORT_HELPER", "/nonexistent", 1);
  const WeightsPackage second = import_cached();
  ::setenv("FOVEA_IMPORT_HELPER", program.c_str(), 1);

  for (const WeightsPackage& package : {first, second}) {
    ASSERT_EQ(package.layers.size(), 3U);
    EXPECT_EQ(package.layers[0].tensors.at(1).name, "conv/bias:0");
    EXPECT_EQ(test::floats_of(package.layers[2].tensors.at(0)).at(9), 0.125F * 37);
    EXPECT_EQ(package.source.value().importer, kImporterVersion);
  }
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(KerasProgram, LeavesTheCacheCleanAfterEveryError) {
  write_keras_file(path(), three_layers());
  const std::string whole = read_text_file(path());
  for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{100}}) {
    write_file_atomic(path(), std::string_view(whole).substr(0, size));
    expect_error(ErrorCode::kModelCorrupt, "not whole");
  }

  {
    test::H5File file(path());
    file.add_names("/", "layer_names", {"conv1"});
  }
  expect_error(ErrorCode::kModelCorrupt, "there is no '/conv1'");

  {
    test::H5File file(path());
    file.add_floats("/a/x", {std::uint64_t{1} << 40}, {}, {.chunk = {1}});
    file.add_names("/a", "weight_names", {"x"});
    file.add_names("/", "layer_names", {"a"});
  }
  expect_error(ErrorCode::kModelLimit, "'/a/x' would make it more than the");

  test::H5File(path()).add_group("/other");
  expect_error(ErrorCode::kModelUnsupportedFormat, "not one with Keras weights");
}

TEST_F(KerasProgram, IsNoModel) {
  write_keras_file(path(), three_layers());

  const auto open = [&] { (void)open_model_file(path(), options_); };

  test::expect_error(ErrorCode::kModelUnsupportedFormat, "holds weights only", open);
  test::expect_error(ErrorCode::kModelUnsupportedFormat, "2 layers with weights", open);
  test::expect_error(ErrorCode::kModelUnsupportedFormat, "--weights FILE.h5", open);
}

TEST_F(KerasProgram, SaysThatTheNetworkOfAWholeModelIsNotRead) {
  write_keras_file(path(), three_layers(), test::H5Text::kFixed, "/model_weights");

  const auto open = [&] { (void)open_model_file(path(), options_); };

  for (const char* when : {"imported", "from the cache"}) {
    SCOPED_TRACE(when);
    test::expect_error(ErrorCode::kModelUnsupportedFormat, "holds a whole Keras model", open);
    test::expect_error(ErrorCode::kModelUnsupportedFormat, "2 layers with weights", open);
  }
}

TEST_F(KerasProgram, NoticesADamagedEntryAndImportsAgain) {
  write_keras_file(path(), three_layers());
  (void)import_cached();
  const fs::path entry = fs::directory_iterator(home() / "packages")->path();
  for (const char* name : {"layers.json", "weights.safetensors", "manifest.xxh3"}) {
    warnings_.clear();
    std::string content = read_text_file(entry / name);
    content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 4);
    std::ofstream(entry / name, std::ios::binary) << content;

    EXPECT_EQ(import_cached().layers.size(), 3U) << name;

    ASSERT_EQ(warnings_.size(), 1U) << name;
    EXPECT_NE(warnings_[0].find("is damaged"), std::string::npos) << warnings_[0];
  }
}

}  // namespace
}  // namespace fovea
