// How cuBLASLt's file is found and looked at, on files with nothing behind them.
#include "engine/backend/cuda/cublaslt_file.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "engine/core/file.h"
#include "engine/core/require.h"
#include "tests/support/errors.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

class CublasLtFileTest : public testing::Test {
 protected:
  void put(const fs::path& build, const char* file) const {
    fs::copy_file(build, folder_.path() / file);
  }

  void expect_refused(const std::string& why) const {
    test::expect_error(ErrorCode::kArgumentUnsupported, why, [this] {
      (void)cuda::load_cublaslt_file(folder_.path());
    });
  }

  [[nodiscard]] std::string path(const char* file) const {
    return cat('\'', (folder_.path() / file).string(), '\'');
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
};

TEST_F(CublasLtFileTest, LoadsTheNewestOfTheFolder) {
  put(FOVEA_FAKE_CUBLASLT_12, "libcublasLt.so.12");
  EXPECT_EQ(cuda::load_cublaslt_file(folder_.path()).version_text(), "12.0.1");

  put(FOVEA_FAKE_CUBLASLT, "libcublasLt.so.13");
  const cuda::CublasLtFile file = cuda::load_cublaslt_file(folder_.path());

  EXPECT_EQ(file.version_text(), "13.1.0");
  EXPECT_EQ(file.library.file(), folder_.path() / "libcublasLt.so.13");
}

TEST_F(CublasLtFileTest, SaysThatThereIsNone) {
  expect_refused(cat("cuBLASLt is not found: ", path("libcublasLt.so.13"), " cannot be loaded"));
}

TEST_F(CublasLtFileTest, RefusesAnOldVersion) {
  put(FOVEA_FAKE_CUBLASLT_OLD, "libcublasLt.so.12");

  expect_refused(cat("cuBLASLt 11.11.3 in ", path("libcublasLt.so.12"), " cannot be used"));
}

TEST_F(CublasLtFileTest, RefusesTheNextMajorVersion) {
  put(FOVEA_FAKE_CUBLASLT_NEXT, "libcublasLt.so.13");

  expect_refused("has to be 12.0.0 or a later 12 or 13");
}

}  // namespace
}  // namespace fovea
