// How cuDNN's files are found and held against each other, on files with nothing behind them.
#include "engine/backend/cuda/cudnn_files.h"

#include <array>
#include <filesystem>

#include <gtest/gtest.h>

#include "engine/core/file.h"
#include "engine/core/require.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

constexpr std::array kFiles{"libcudnn_graph.so.9",
                            "libcudnn_ops.so.9",
                            "libcudnn_cnn.so.9",
                            "libcudnn_heuristic.so.9",
                            "libcudnn_engines_precompiled.so.9",
                            "libcudnn_engines_runtime_compiled.so.9"};

class CudnnFilesTest : public testing::Test {
 protected:
  /// All files in the folder, of one build of fake_cudnn_file.cc.
  void fill(const fs::path& build) const {
    for (const char* file : kFiles) fs::copy_file(build, folder_.path() / file);
  }

  void expect_refused(const std::string& why) const {
    test::expect_error(ErrorCode::kArgumentUnsupported, why, [this] {
      (void)cuda::load_cudnn_files(folder_.path());
    });
  }

  [[nodiscard]] std::string path(const char* file) const {
    return cat('\'', (folder_.path() / file).string(), '\'');
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
};

TEST_F(CudnnFilesTest, LoadsACompleteOne) {
  fill(FOVEA_FAKE_CUDNN);

  const cuda::CudnnFiles files = cuda::load_cudnn_files(folder_.path());

  EXPECT_EQ(files.version_text(), "9.19.0");
  EXPECT_EQ(files.graph.file(), folder_.path() / kFiles[0]);
  EXPECT_FALSE(files.compiles_kernels);
}

TEST_F(CudnnFilesTest, SaysThatThereIsNone) {
  expect_refused(cat("cuDNN is not found: ", path("libcudnn_graph.so.9"), " cannot be loaded"));
}

TEST_F(CudnnFilesTest, NamesTheFileThatIsMissing) {
  for (std::size_t i = 1; i < kFiles.size(); ++i) {
    for (const char* file : kFiles) fs::remove(folder_.path() / file);
    fill(FOVEA_FAKE_CUDNN);
    fs::remove(folder_.path() / kFiles.at(i));

    expect_refused(cat("cuDNN is incomplete: ", path(kFiles.at(i))));
  }
}

TEST_F(CudnnFilesTest, RefusesAnOldVersion) {
  fill(FOVEA_FAKE_CUDNN_OLD);

  expect_refused(cat("cuDNN 9.7.1 in ", path("libcudnn_graph.so.9"), " cannot be used"));
}

TEST_F(CudnnFilesTest, RefusesTheNextMajorVersion) {
  fill(FOVEA_FAKE_CUDNN_NEXT);

  expect_refused("has to be 9.8.0 or a later 9");
}

TEST_F(CudnnFilesTest, AsksTheFilesForTheirVersions) {
  fill(FOVEA_FAKE_CUDNN_MIXED);

  expect_refused(cat("cuDNN is mixed from two versions: ",
                     path("libcudnn_ops.so.9"),
                     " says that it does not belong to version 9.19.0"));
}

/// Heuristics and engines have no function to ask; packages have versions in the files' names.
TEST_F(CudnnFilesTest, ComparesTheVersionsInNames) {
  for (const char* file : kFiles) {
    const bool other = std::string(file) == "libcudnn_heuristic.so.9";
    const fs::path real = folder_.path() / cat(file, other ? ".18.1" : ".19.0");
    fs::copy_file(FOVEA_FAKE_CUDNN, real);
    fs::create_symlink(real, folder_.path() / file);
  }

  expect_refused(cat("cuDNN is mixed from two versions: ", path("libcudnn_heuristic.so.9.18.1")));
}

}  // namespace
}  // namespace fovea
